import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressBytes } from '../../sys/index.ts';
import type { NetworkRecord } from '../types.ts';
import { AnswerCache } from './answer-cache.ts';
import { answerLocally } from './local.ts';
import { parseQuestion, type Question, RCODE, respond, TYPE } from './message.ts';
import { NameTable } from './names.ts';
import { reversedAddress, reverseName } from './reverse.ts';
import { endpoint, network, query, read, sandbox } from './testing/name-lab.ts';

const NETWORKS: Record<string, NetworkRecord> = Object.fromEntries(
  [
    network('front'),
    network('back.office'),
    network('bridge'),
    network('lan', { driver: 'macvlan', pools: [{ subnet: '192.0.2.0/24', gateway: '192.0.2.1' }] }),
  ].map((each) => [each.id, each]),
);

function tableOf(...boxes: ReturnType<typeof sandbox>[]): NameTable {
  const table = new NameTable((id) => NETWORKS[id]);
  for (const box of boxes) table.update(box);
  return table;
}

/** What an asker hears about a name: a code and the data, or undefined when others are to be asked. */
function hear(table: NameTable, asker: string, name: string, type: number = TYPE.A) {
  const answer = answerLocally(table, asker, parseQuestion(query(name, type)) as Question, 512);
  return answer && [read(answer).code, ...read(answer).data];
}

describe('names on networks', () => {
  const web = sandbox(
    'web',
    '',
    endpoint('front', '10.9.0.2', ['web', 'Site', '0123456789ab', 'dotted.host', 'grün'], {
      ipv6: 'fd00::2',
    }),
  );
  const db = sandbox('db', '', endpoint('back.office', '10.8.0.3', ['db', 'site']));
  const app = sandbox(
    'app',
    '',
    endpoint('front', '10.9.0.4', ['app'], {
      links: [
        { alias: 'DataBase', containerId: 'web' },
        { alias: 'gone', containerId: 'nobody' },
        { alias: 'again', containerId: 'nobody', name: 'SITE' },
        { alias: 'later', name: 'web' },
        { alias: 'never', name: 'nosuch' },
      ],
    }),
    endpoint('back.office', '10.8.0.4', ['app'], { gwPriority: 1 }),
  );
  const table = tableOf(web, db, app);

  it('are found by whoever shares the network, in any case, with dots, and in UTF-8', () => {
    for (const name of [
      'web',
      'WEB',
      'site',
      '0123456789ab',
      'dotted.host',
      Buffer.from('grün').toString('latin1'),
    ])
      assert.deepEqual(hear(table, 'app', name), name === 'site' ? [0, '10.8.0.3'] : [0, '10.9.0.2'], name);
    assert.equal(hear(table, 'db', 'web'), undefined);
    assert.equal(hear(table, 'web', 'db'), undefined);
    assert.equal(hear(table, 'nobody', 'web'), undefined);
    assert.deepEqual(hear(table, 'web', 'web'), [0, '10.9.0.2']);
  });

  it('are asked of one network by its name', () => {
    assert.deepEqual(hear(table, 'app', 'site.front'), [0, '10.9.0.2']);
    assert.deepEqual(hear(table, 'app', 'app.Back.Office'), [0, '10.8.0.4']);
    assert.equal(hear(table, 'app', 'web.back.office'), undefined);
    assert.equal(hear(table, 'web', 'site.back.office'), undefined);
  });

  it('are asked of networks in the order of their priority', () => {
    assert.deepEqual(hear(table, 'app', 'app'), [0, '10.8.0.4']);
  });

  it("by links are the asker's alone", () => {
    assert.deepEqual(hear(table, 'app', 'database'), [0, '10.9.0.2']);
    assert.deepEqual(hear(table, 'app', 'database.front'), [0, '10.9.0.2']);
    assert.equal(hear(table, 'web', 'database'), undefined);
    assert.equal(hear(table, 'app', 'gone'), undefined);
    assert.equal(hear(table, 'app', 'never'), undefined);
  });

  it('by links hold for a container that was made again, or came later, under its name', () => {
    for (const alias of ['again', 'later', 'again.front'])
      assert.deepEqual(hear(table, 'app', alias), [0, '10.9.0.2'], alias);
  });

  it('have addresses of both families, and no error without one of them', () => {
    assert.deepEqual(hear(table, 'app', 'web', TYPE.AAAA), [0, 'fd00:0000:0000:0000:0000:0000:0000:0002']);
    assert.deepEqual(hear(table, 'app', 'db', TYPE.AAAA), [0]);
    assert.deepEqual(hear(table, 'app', 'web', TYPE.ANY), [
      0,
      '10.9.0.2',
      'fd00:0000:0000:0000:0000:0000:0000:0002',
    ]);
    for (const type of [TYPE.PTR, 15, 16, 65]) assert.deepEqual(hear(table, 'app', 'web', type), [0]);
    const six = tableOf(sandbox('a', '', endpoint('front', '', ['a'], { ipv6: 'fd00::9' })));
    assert.deepEqual([hear(six, 'a', 'a'), hear(six, 'a', 'a', TYPE.AAAA)?.length], [[0], 2]);
  });

  it("are found backwards, and an address of the own bridges that nobody has is nobody's", () => {
    const backwards = (asker: string, ip: string, type: number = TYPE.PTR) =>
      hear(table, asker, reverseName(ip), type);
    assert.deepEqual(backwards('app', '10.9.0.2'), [0, 'web.front']);
    assert.deepEqual(backwards('app', 'fd00::2'), [0, 'web.front']);
    assert.deepEqual(backwards('app', '10.8.0.3'), [0, 'db.back.office']);
    assert.deepEqual(backwards('app', '10.9.0.2', TYPE.A), [0]);
    assert.deepEqual(backwards('app', '10.9.77.77'), [RCODE.NXDOMAIN]);
    assert.equal(backwards('web', '10.8.0.3'), undefined);
    assert.equal(backwards('app', '192.0.2.9'), undefined);
    const onLan = tableOf(sandbox('m', '', endpoint('lan', '192.0.2.8', ['m'])));
    assert.equal(hear(onLan, 'm', reverseName('192.0.2.9'), TYPE.PTR), undefined);
    assert.deepEqual(hear(onLan, 'm', reverseName('192.0.2.8'), TYPE.PTR), [0, 'm.lan']);
  });

  it('are none on the default bridge, and the root is not ours', () => {
    const plain = tableOf(
      sandbox('a', '', endpoint('bridge', '10.9.0.2', ['a'])),
      sandbox('b', '', endpoint('none', '', ['b'])),
    );
    assert.deepEqual(
      [hear(plain, 'a', 'a'), hear(plain, 'b', 'b'), hear(table, 'app', '')],
      [undefined, undefined, undefined],
    );
  });

  it("change at once: others, fewer, moved, gone; the caller's record may change meanwhile", () => {
    const moving = structuredClone(web);
    const changing = tableOf(moving, app);
    const version = changing.version;
    moving.endpoints[0]!.dnsNames = ['renamed'];
    moving.endpoints[0]!.ipv4 = '10.9.0.77';
    changing.update(moving);
    assert.notEqual(changing.version, version);
    assert.deepEqual(hear(changing, 'app', 'renamed'), [0, '10.9.0.77']);
    assert.equal(hear(changing, 'app', 'web'), undefined);
    assert.deepEqual(hear(changing, 'app', reverseName('10.9.0.2'), TYPE.PTR), [RCODE.NXDOMAIN]);
    changing.remove('web');
    changing.remove('never');
    assert.equal(hear(changing, 'app', 'renamed'), undefined);
    assert.equal(hear(changing, 'web', 'app'), undefined);
  });

  it('of several containers have all their addresses, each first in turn', () => {
    const many = tableOf(
      ...[1, 2, 3].map((n) => sandbox(`s${n}`, '', endpoint('front', `10.9.1.${n}`, [`s${n}`, 'many']))),
    );
    const question = parseQuestion(query('many', TYPE.A, { edns: 1232 })) as Question;
    const cache = new AnswerCache();
    const firsts = [read(cache.put(question, answerLocally(many, 's1', question, 1232)!)).data];
    for (let n = 0; n < 5; n++) firsts.push(read(cache.get(question.message)!).data);
    assert.deepEqual(
      firsts.map(([first]) => first).sort(),
      [1, 1, 2, 2, 3, 3].map((n) => `10.9.1.${n}`),
    );
    for (const all of firsts) assert.equal(new Set(all).size, 3);
  });
});

describe('answers that are kept', () => {
  const question = (name: string, id: number, edns?: number) =>
    parseQuestion(query(name, TYPE.A, { id, ...(edns ? { edns } : {}) })) as Question;
  const table = tableOf(sandbox('a', '', endpoint('front', '10.9.0.2', ['a', 'x'.repeat(63)])));

  it('are found by the octets of the query, and have its id', () => {
    const cache = new AnswerCache();
    const first = question('a', 1);
    const kept = cache.put(first, answerLocally(table, 'a', first, 512)!);
    const again = cache.get(query('a', TYPE.A, { id: 0xfffe }))!;
    assert.deepEqual([read(kept).id, read(again).id, read(again).data], [1, 0xfffe, ['10.9.0.2']]);
    again.fill(0);
    assert.deepEqual(read(cache.get(first.message)!).data, ['10.9.0.2']);
    for (const other of [
      query('A'),
      query('b'),
      query('a', TYPE.AAAA),
      query('a', TYPE.A, { edns: 512 }),
      query('a', TYPE.A, { flags: 0 }),
    ])
      assert.equal(cache.get(other), undefined);
    cache.clear();
    assert.equal(cache.get(first.message), undefined);
  });

  it('of both families are not mixed up', () => {
    const both = tableOf(sandbox('a', '', endpoint('front', '10.9.0.2', ['a'], { ipv6: 'fd00::2' })));
    const any = parseQuestion(query('a', TYPE.ANY)) as Question;
    const cache = new AnswerCache();
    cache.put(any, answerLocally(both, 'a', any, 512)!);
    assert.deepEqual(hear(both, 'a', 'a', TYPE.ANY)?.slice(1), read(cache.get(any.message)!).data);
  });

  it('are bounded in number and length', () => {
    const cache = new AnswerCache();
    const answer = answerLocally(table, 'a', question('a', 1), 512)!;
    for (let type = 1; type < 1000; type++) cache.put(parseQuestion(query('a', type)) as Question, answer);
    const found = Array.from({ length: 999 }, (_, at) => cache.get(query('a', at + 1))).filter(Boolean);
    assert(found.length > 0 && found.length <= 256);
    const long = question(Array(3).fill('x'.repeat(63)).join('.'), 1);
    cache.put(long, respond(long, 0, [], 10, 512));
    assert.equal(cache.get(long.message), undefined);
  });
});

describe('addresses backwards', () => {
  it('are there and back again', () => {
    assert.equal(reverseName('10.2.3.4'), '4.3.2.10.in-addr.arpa');
    assert.equal(reversedAddress('4.3.2.10.in-addr.arpa'), '10.2.3.4');
    for (const ip of ['fd00::1', '::', '::ffff:10.0.0.1', '1:2:3:4:5:6:7:8', 'fe80::'])
      assert.deepEqual(addressBytes(reversedAddress(reverseName(ip))!), addressBytes(ip), ip);
    for (const name of [
      '1.2.3.in-addr.arpa',
      '1.2.3.400.in-addr.arpa',
      'a.ip6.arpa',
      'web',
      '....in-addr.arpa',
    ])
      assert.equal(reversedAddress(name), undefined, name);
  });
});
