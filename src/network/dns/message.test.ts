import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  answersQuestion,
  encodeName,
  parseQuestion,
  type Question,
  RCODE,
  respond,
  respondHeader,
  TYPE,
  truncate,
  udpLimit,
} from './message.ts';
import { query, read, reply } from './testing/name-lab.ts';

function parsed(message: Buffer): Question {
  const question = parseQuestion(message);
  assert(typeof question === 'object', `not read: ${question}`);
  return question;
}

describe('a query', () => {
  it('is read with its name in lower case, its letters kept in the message', () => {
    const message = query('WeB.Example', TYPE.AAAA);
    const question = parsed(message);
    assert.deepEqual(
      [question.name, question.type, question.class, question.end],
      ['web.example', 28, 1, message.length],
    );
    assert.equal(respond(question, 0, [], 10, 512).toString('latin1', 13, 16), 'WeB');
    assert.equal(parsed(query('', TYPE.A)).name, '');
  });

  it('has a limit of 512 octets, or what its EDNS says within reason', () => {
    assert.equal(udpLimit(parsed(query('a'))), 512);
    for (const [said, limit] of [
      [0, 512],
      [1232, 1232],
      [65535, 4096],
    ] as const)
      assert.equal(udpLimit(parsed(query('a', TYPE.A, { edns: said }))), limit);
  });

  it('is answered by silence when it is none', () => {
    for (const message of [Buffer.alloc(0), Buffer.alloc(11), query('a', TYPE.A, { flags: 0x8100 })])
      assert.equal(parseQuestion(message), undefined);
  });

  it('is refused when it is another operation, has no question or several, or carries records', () => {
    assert.equal(parseQuestion(query('a', TYPE.A, { flags: 0x1000 })), RCODE.NOTIMP);
    for (const [at, count] of [
      [4, 0],
      [4, 2],
      [6, 1],
      [8, 1],
      [10, 1],
    ] as const) {
      const message = query('a');
      message.writeUInt16BE(count, at);
      assert.equal(parseQuestion(message), RCODE.FORMERR, `${count} at ${at}`);
    }
  });

  it('is refused when its name runs over the end, is too long, is compressed or has labels of another kind', () => {
    const header = query('a').subarray(0, 12);
    const long = Buffer.concat(
      Array.from({ length: 5 }, () => Buffer.concat([Buffer.of(63), Buffer.alloc(63, 97)])),
    );
    for (const name of [
      [],
      [1],
      [63, 97, 97],
      [0xc0, 12, 0, 1, 0, 1],
      [0xc0, 0],
      [0x40, 0, 0, 1, 0, 1],
      [0, 0, 1],
      [...long, 0, 0, 1, 0, 1],
    ])
      assert.equal(parseQuestion(Buffer.from([...header, ...name])), RCODE.FORMERR, name.slice(0, 8).join());
  });

  it('with EDNS keeps version and DO flag, and may have other records beside it', () => {
    const message = query('a', TYPE.A, { edns: 1400 });
    message.writeUInt16BE(0x8000, message.length - 4);
    message.writeUInt8(7, message.length - 5);
    assert.deepEqual(parsed(message).edns, { version: 7, size: 1400, dnssec: true });
    const record = [0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, 2, 1, 97];
    const more = Buffer.concat([message, Buffer.from(record)]);
    more.writeUInt16BE(2, 10);
    assert.equal(parsed(more).edns?.size, 1400);
    for (const bad of [more.subarray(0, -1), Buffer.concat([more.subarray(0, -13), Buffer.from([1])])])
      assert.equal(parseQuestion(bad), RCODE.FORMERR);
    const twice = Buffer.concat([message, message.subarray(-11)]);
    twice.writeUInt16BE(2, 10);
    assert.equal(parseQuestion(twice), RCODE.FORMERR);
  });

  it('whose label holds a dot is nobody of ours', () => {
    const message = query('a-b.c');
    message[14] = 0x2e;
    assert.equal(parsed(message).name, undefined);
  });
});

describe('a response', () => {
  const address = (last: number) => ({ type: TYPE.A, data: Buffer.from([10, 0, 0, last]) });

  it('repeats id, question and RD, and tells the records', () => {
    const question = parsed(query('web', TYPE.A, { id: 0xbeef, edns: 1232 }));
    const response = respond(question, RCODE.NOERROR, [address(1), address(2)], 10, 1232);
    assert.equal(response.readUInt16BE(2), 0x8180);
    const said = read(response);
    assert.deepEqual(said.data, ['10.0.0.1', '10.0.0.2']);
    assert.deepEqual(
      [said.id, said.whole, said.records.at(-1)],
      [0xbeef, true, { type: TYPE.OPT, ttl: 0, data: '' }],
    );
    assert.equal(respond(parsed(query('web', 1, { flags: 0 })), 0, [], 0, 512).readUInt16BE(2), 0x8080);
  });

  it('leaves out what does not fit, and says so', () => {
    const answers = Array.from({ length: 100 }, (_, at) => address(at));
    for (const edns of [undefined, 600, 1232]) {
      const question = parsed(query('web', TYPE.A, edns ? { edns } : {}));
      const response = respond(question, 0, answers, 10, udpLimit(question));
      assert(response.length <= (edns ?? 512) && response.length > (edns ?? 512) - 16);
      assert.deepEqual([read(response).truncated, read(response).whole], [true, true]);
    }
  });

  it('has an extended code by EDNS, and only a header where the question could not be read', () => {
    const response = respond(parsed(query('a', TYPE.A, { edns: 512 })), RCODE.BADVERS, [], 0, 512);
    assert.deepEqual([read(response).code, read(response).records[0]?.ttl], [0, 1 << 24]);
    const header = respondHeader(query('a', TYPE.A, { id: 7 }), RCODE.FORMERR);
    assert.deepEqual([header.length, header.readUInt16BE(0), header.readUInt16BE(2)], [12, 7, 0x8181]);
    assert.equal(header.readUInt16BE(4), 0);
  });

  it('of a server counts only with this id and question, in letters of any case', () => {
    const question = parsed(query('WeB.example', 65, { id: 1 }));
    const right = query('wEb.EXAMPLE', 65, { id: 9, flags: 0x8180 });
    assert.equal(answersQuestion(right, question, 9), true);
    assert.equal(answersQuestion(right, question, 1), false);
    for (const wrong of [
      query('web.example', 65, { id: 9 }),
      query('web.examplf', 65, { id: 9, flags: 0x8180 }),
      query('web.example', 97, { id: 9, flags: 0x8180 }),
      query('web.example', 65, { id: 9, flags: 0x8180, class: 3 }),
      right.subarray(0, -1),
      right.subarray(0, 3),
      Buffer.alloc(0),
    ])
      assert.equal(answersQuestion(wrong, question, 9), false);
    const none = Buffer.from(right);
    none.writeUInt16BE(0, 4);
    assert.equal(answersQuestion(none, question, 9), false);
  });

  it('of a server is cut to its question', () => {
    const question = parsed(query('web'));
    const cut = read(truncate(reply(question.message, ['10.0.0.1'], 3), question));
    assert.deepEqual([cut.truncated, cut.code, cut.data, cut.whole], [true, 3, [], true]);
  });
});

describe('names in wire form', () => {
  it('are encoded, or refused', () => {
    assert.equal(encodeName('a.bc')?.toString('hex'), '0161026263' + '00');
    for (const name of ['', 'a..b', '.a', 'a'.repeat(64), Array(128).fill('ab').join('.')])
      assert.equal(encodeName(name), undefined);
  });
});

describe('whatever comes', () => {
  it('is read or refused, within its bounds and soon', () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const seen = new Set<string>();
    for (let round = 0; round < 30_000; round++) {
      const message =
        random(3) === 0 ? Buffer.alloc(random(600)) : query('some.name.here', random(70), { edns: 1232 });
      for (let hits = random(8); hits > 0 && message.length > 0; hits--)
        message[random(message.length)] = random(256);
      const cut = message.subarray(0, random(4) === 0 ? random(message.length + 1) : message.length);
      const question = parseQuestion(cut);
      seen.add(typeof question === 'object' ? 'read' : String(question));
      if (typeof question !== 'object') continue;
      assert(question.end <= cut.length && question.end >= 17);
      const response = respond(question, 0, [{ type: 1, data: Buffer.alloc(4) }], 10, udpLimit(question));
      assert(response.length <= 512 || response.length <= udpLimit(question));
      assert.equal(answersQuestion(response, question, cut.readUInt16BE(0)), true);
    }
    assert.deepEqual([...seen].sort(), ['1', '4', 'read', 'undefined']);
  });
});
