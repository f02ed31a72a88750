// Run by service.test.ts in a network namespace of its own, which stands for the host.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { silentLog } from '../../base/index.ts';
import { nftJson, openSocket, receiveDatagrams, runNft, sendDatagrams, withNetns } from '../../sys/index.ts';
import type { NetworkRecord, SandboxRecord } from '../types.ts';
import { RCODE, TYPE } from './message.ts';
import { redirectedPorts } from './redirect.ts';
import { openNameService } from './service.ts';
import { frame } from './tcp.ts';
import {
  ask,
  askTcp,
  connectTcp,
  endpoint,
  NameLab,
  network,
  query,
  read,
  reply,
  sandbox,
} from './testing/name-lab.ts';

execFileSync('ip', ['link', 'set', 'lo', 'up']);

const NETWORKS: Record<string, NetworkRecord> = {
  net: network('net'),
  other: network('other', { pools: [{ subnet: '10.8.0.0/16', gateway: '10.8.0.1' }] }),
  walled: network('walled', { internal: true }),
  bridge: network('bridge'),
};

/** A name service on a host with one name server. */
function start(lab: NameLab, hostServers: string[] = []) {
  const service = openNameService(
    { network: (id) => NETWORKS[id], hostServers: () => hostServers },
    silentLog,
  );
  lab.onEnd(() => service.close());
  const box = (id: string, ...endpoints: SandboxRecord['endpoints']) => {
    const record = sandbox(id, lab.netns(), ...endpoints);
    service.update(record);
    return record;
  };
  return { service, box };
}

const resolve = async (netns: string, name: string, type: number = TYPE.A) => {
  const answer = await ask(netns, query(name, type));
  return answer && { code: read(answer).code, data: read(answer).data };
};

const found = (...data: string[]) => ({ code: 0, data });

describe('the name service', { timeout: 60_000 }, () => {
  it('answers each sandbox what it may know, over UDP and TCP', async () => {
    using lab = new NameLab();
    const { box } = start(lab);
    const web = box('web', endpoint('net', '10.9.0.2', ['web', 'site']));
    const db = box('db', endpoint('net', '10.9.0.3', ['db', 'site']), endpoint('other', '10.8.0.3', ['db']));
    box('far', endpoint('other', '10.8.0.4', ['far']));
    assert.deepEqual(await resolve(web.netnsPath, 'DB'), found('10.9.0.3'));
    assert.deepEqual(await resolve(db.netnsPath, 'far'), found('10.8.0.4'));
    assert.equal((await resolve(web.netnsPath, 'far'))?.code, RCODE.SERVFAIL);
    assert.deepEqual(await resolve(web.netnsPath, '3.0.9.10.in-addr.arpa', TYPE.PTR), found('db.net'));
    const firsts = new Set<string | undefined>();
    for (let n = 0; n < 4; n++) firsts.add((await resolve(web.netnsPath, 'site'))?.data[0]);
    assert.deepEqual([...firsts].sort(), ['10.9.0.2', '10.9.0.3']);
    const replies = await askTcp(web.netnsPath, query('db'), query('web'), query('nowhere'), query('site'));
    const said = replies.map((each) => read(each).data.length).sort();
    assert.deepEqual(said, [0, 1, 1, 2]);
    const answer = read((await ask(web.netnsPath, query('db', TYPE.A, { edns: 1232 })))!);
    assert.deepEqual(
      answer.records.map(({ type, ttl }) => [type, ttl]),
      [
        [TYPE.A, 10],
        [TYPE.OPT, 0],
      ],
    );
  });

  it('tells of changes at once, also where it answered before', async () => {
    using lab = new NameLab();
    const { service, box } = start(lab);
    const asker = box('asker', endpoint('net', '10.9.0.2', ['asker']));
    const web = box('web', endpoint('net', '10.9.0.3', ['web']));
    assert.deepEqual(await resolve(asker.netnsPath, 'web'), found('10.9.0.3'));
    service.update({ ...web, endpoints: [endpoint('net', '10.9.0.4', ['new', 'web'])] });
    assert.deepEqual(await resolve(asker.netnsPath, 'web'), found('10.9.0.4'));
    assert.deepEqual(await resolve(asker.netnsPath, 'new'), found('10.9.0.4'));
    service.remove('web');
    assert.equal((await resolve(asker.netnsPath, 'web'))?.code, RCODE.SERVFAIL);
  });

  it('has many addresses of one name: as many as fit over UDP, all over TCP', async () => {
    using lab = new NameLab();
    const { service, box } = start(lab);
    const asker = box('asker', endpoint('net', '10.9.0.2', ['asker']));
    for (let n = 0; n < 200; n++)
      assert.throws(() =>
        service.update(sandbox(`s${n}`, '/nowhere', endpoint('net', `10.9.1.${n}`, ['all']))),
      );
    const cut = read((await ask(asker.netnsPath, query('all')))!);
    assert.deepEqual([cut.truncated, cut.data.length], [true, 30]);
    const [whole] = await askTcp(asker.netnsPath, query('all'));
    assert.deepEqual([read(whole!).truncated, new Set(read(whole!).data).size], [false, 200]);
  });
});

describe('the namespace of a container', { timeout: 60_000 }, () => {
  it('keeps its own server on port 53, and its own rules, which see port 53 alone', async () => {
    using lab = new NameLab();
    const { box } = start(lab);
    const { netnsPath } = box('web', endpoint('net', '10.9.0.2', ['web']));
    lab.server(netnsPath, '0.0.0.0', (message) => reply(message, ['192.0.2.53']));
    withNetns(netnsPath, () =>
      runNft(`table inet own {
        chain in {
          type filter hook input priority 0; policy drop;
          ct state established counter accept
          ip daddr 127.0.0.11 meta l4proto { tcp, udp } th dport 53 counter accept
          ip daddr 127.0.0.1 udp dport 53 accept
        }
        chain out {
          type filter hook output priority 0; policy drop;
          meta l4proto { tcp, udp } th dport 53 counter accept
          ct state established accept
        }
      }`),
    );
    assert.deepEqual(await resolve(netnsPath, 'web'), found('10.9.0.2'));
    const [overTcp] = await askTcp(netnsPath, query('web'));
    assert.deepEqual(read(overTcp!).data, ['10.9.0.2']);
    const own = await ask(netnsPath, query('web'), { to: '127.0.0.1' });
    assert.deepEqual(read(own!).data, ['192.0.2.53']);
  });

  it('is not touched where there are no networks of users', async () => {
    using lab = new NameLab();
    const { service, box } = start(lab);
    const plain = box('plain', endpoint('bridge', '10.9.0.2', []));
    const none = box('none');
    for (const { netnsPath } of [plain, none]) {
      assert.deepEqual(withNetns(netnsPath, redirectedPorts), []);
      assert.equal(await ask(netnsPath, query('plain'), { patience: 300 }), undefined);
    }
    service.update({ ...plain, endpoints: [endpoint('net', '10.9.0.2', ['plain'])] });
    assert.deepEqual(await resolve(plain.netnsPath, 'plain'), found('10.9.0.2'));
    service.update(plain);
    assert.equal(await ask(plain.netnsPath, query('plain'), { patience: 300 }), undefined);
    assert.deepEqual(service.problems(), []);
  });

  it('sees nothing of a new daemon: the same rules lead to its sockets, and a client goes on', async () => {
    using lab = new NameLab();
    const before = start(lab);
    const web = before.box('web', endpoint('net', '10.9.0.2', ['web']));
    const rules = () => withNetns(web.netnsPath, () => JSON.stringify(nftJson('list ruleset')));
    const made = rules();
    const client = openSocket({
      family: 4,
      type: 'dgram',
      netns: web.netnsPath,
      connect: { ip: '127.0.0.11', port: 53 },
    });
    lab.onEnd(() => client.close());
    const heard: string[] = [];
    const askOn = async () => {
      sendDatagrams(client, [{ data: query('web') }]);
      const count = heard.length;
      while (heard.length === count) {
        await new Promise((next) => setTimeout(next, 2));
        receiveDatagrams(client, (data) => heard.push(...read(data).data));
      }
    };
    await askOn();
    before.service.close();
    const after = start(lab);
    after.service.update({ ...web, endpoints: [endpoint('net', '10.9.0.7', ['web'])] });
    await askOn();
    assert.deepEqual(heard, ['10.9.0.2', '10.9.0.7']);
    assert.equal(rules(), made);
  });

  it('gets one other redirect when the last port was taken meanwhile', async () => {
    using lab = new NameLab();
    const before = start(lab);
    const web = before.box('web', endpoint('net', '10.9.0.2', ['web']));
    const [port] = withNetns(web.netnsPath, redirectedPorts);
    before.service.close();
    const taken = openSocket({
      family: 4,
      type: 'dgram',
      netns: web.netnsPath,
      bind: { ip: '0.0.0.0', port: port! },
    });
    lab.onEnd(() => taken.close());
    const after = start(lab);
    after.service.update(web);
    assert.deepEqual(await resolve(web.netnsPath, 'web'), found('10.9.0.2'));
    const ports = withNetns(web.netnsPath, redirectedPorts);
    assert(ports.length === 1 && ports[0] !== port);
    assert.deepEqual(after.service.problems(), []);
  });
});

describe('names of others', { timeout: 60_000 }, () => {
  /** Packets that leave this host's processes, by a counter in front of everything. */
  const count = () => {
    const listed = nftJson('list table inet counted') as {
      nftables: { rule?: { expr: { counter?: { packets: number } }[] } }[];
    };
    return listed.nftables.flatMap(({ rule }) => rule?.expr[0]?.counter?.packets ?? [])[0];
  };

  it("go to the host's servers from the host, but nothing leaves from internal networks", async () => {
    using lab = new NameLab();
    const withoutNamespace = '/proc/self/ns/net';
    const heard = lab.server(withoutNamespace, '127.0.0.53', (message) => reply(message, ['192.0.2.1']));
    runNft('table inet counted {\nchain out {\ntype filter hook output priority -400\ncounter\n}\n}');
    lab.onEnd(() => runNft('delete table inet counted'));
    const { service, box } = start(lab, ['127.0.0.53']);
    const walled = box('walled', endpoint('walled', '10.9.0.2', ['walled']));
    for (const name of ['example.com', 'nobody', '1.2.0.192.in-addr.arpa', 'walled.example'])
      assert.deepEqual(await resolve(walled.netnsPath, name), { code: RCODE.REFUSED, data: [] });
    const [overTcp] = await askTcp(walled.netnsPath, query('example.com'));
    assert.equal(read(overTcp!).code, RCODE.REFUSED);
    assert.deepEqual([count(), heard], [0, { udp: 0, tcp: 0 }]);
    assert.deepEqual(await resolve(walled.netnsPath, 'walled'), found('10.9.0.2'));
    const open = box('open', endpoint('walled', '10.9.0.3', ['open']), endpoint('net', '10.9.0.3', ['open']));
    assert.deepEqual(await resolve(open.netnsPath, 'example.com'), found('192.0.2.1'));
    assert.deepEqual(await resolve(open.netnsPath, 'open', 16), found());
    assert.equal(heard.udp, 1);
    assert(count()! >= 2);
    service.update({ ...open, endpoints: open.endpoints.slice(0, 1) });
    assert.equal((await resolve(open.netnsPath, 'example.com'))?.code, RCODE.REFUSED);
    assert.equal(heard.udp, 1);
  });

  it("go to the container's own servers from its namespace, loopback ones and internal networks included", async () => {
    using lab = new NameLab();
    const { service, box } = start(lab, ['127.0.0.53']);
    const web = box('web', endpoint('walled', '10.9.0.2', ['web']));
    lab.server(web.netnsPath, '127.0.0.1', (message) => reply(message, ['192.0.2.2']));
    service.update({ ...web, nameServers: ['127.0.0.11', '127.0.0.1'] });
    assert.deepEqual(await resolve(web.netnsPath, 'example.com'), found('192.0.2.2'));
    service.update({ ...web, nameServers: ['127.0.0.11'] });
    assert.equal((await resolve(web.netnsPath, 'example.com'))?.code, RCODE.REFUSED);
  });

  it("follow the host's servers as they change", async () => {
    using lab = new NameLab();
    const servers = ['127.0.0.53'];
    lab.server('/proc/self/ns/net', '127.0.0.53', (message) => reply(message, ['192.0.2.1']));
    lab.server('/proc/self/ns/net', '127.0.0.54', (message) => reply(message, ['192.0.2.2']));
    const { box } = start(lab, servers);
    const { netnsPath } = box('web', endpoint('net', '10.9.0.2', ['web']));
    assert.deepEqual(await resolve(netnsPath, 'a.example'), found('192.0.2.1'));
    servers[0] = '127.0.0.54';
    assert.deepEqual(await resolve(netnsPath, 'a.example'), found('192.0.2.2'));
  });

  it('are bounded in number, and others are not held up', async () => {
    using lab = new NameLab();
    const heard = lab.server('/proc/self/ns/net', '127.0.0.53', () => undefined);
    const { box } = start(lab, ['127.0.0.53']);
    const [greedy, modest] = [
      box('greedy', endpoint('net', '10.9.0.2', ['greedy'])),
      box('modest', endpoint('net', '10.9.0.3', ['modest'])),
    ];
    const before = readdirSync('/proc/self/fd').length;
    const client = openSocket({
      family: 4,
      type: 'dgram',
      netns: greedy.netnsPath,
      connect: { ip: '127.0.0.11', port: 53 },
    });
    lab.onEnd(() => client.close());
    const failed: number[] = [];
    const until = async (done: () => boolean) => {
      while (!done()) {
        await new Promise((next) => setImmediate(next));
        receiveDatagrams(client, (data) => failed.push(read(data).code));
      }
    };
    for (let sent = 0; sent < 1024; sent += 64) {
      sendDatagrams(
        client,
        Array.from({ length: 64 }, (_, at) => ({ data: query(`n${sent + at}`) })),
      );
      await until(() => heard.udp >= sent + 64);
    }
    assert(readdirSync('/proc/self/fd').length - before < 64);
    assert.deepEqual(failed, []);
    sendDatagrams(
      client,
      Array.from({ length: 10 }, () => ({ data: query('more') })),
    );
    await until(() => failed.length === 10);
    assert.deepEqual(new Set(failed), new Set([RCODE.SERVFAIL]));
    assert.deepEqual(await resolve(greedy.netnsPath, 'modest'), found('10.9.0.3'));
    assert.deepEqual(await resolve(modest.netnsPath, 'greedy'), found('10.9.0.2'));
  });
});

describe('hostile clients', { timeout: 60_000 }, () => {
  it('find silence, refusals and closed connections; others are answered', async () => {
    using lab = new NameLab();
    const { box } = start(lab);
    const { netnsPath } = box('web', endpoint('net', '10.9.0.2', ['web']));
    const client = openSocket({
      family: 4,
      type: 'dgram',
      netns: netnsPath,
      connect: { ip: '127.0.0.11', port: 53 },
    });
    lab.onEnd(() => client.close());
    for (let seed = 0; seed < 500; seed++) {
      const message = query('web', seed % 70, { edns: seed });
      message[seed % message.length] = (seed * 37) & 0xff;
      sendDatagrams(client, [
        { data: message.subarray(0, seed % 7 === 0 ? seed % message.length : message.length) },
      ]);
      // What the socket has no room for would be lost, and not be heard.
      await new Promise((next) => setImmediate(next));
    }
    sendDatagrams(client, [{ data: Buffer.alloc(60_000, 0xc0) }, { data: Buffer.alloc(0) }]);
    assert.deepEqual(await resolve(netnsPath, 'web'), found('10.9.0.2'));
    const refused = read((await ask(netnsPath, query('web', TYPE.A, { flags: 0x2800 })))!);
    assert.equal(refused.code, RCODE.NOTIMP);

    const long = connectTcp(netnsPath);
    long.on('error', () => {});
    const closed = new Promise((done) => long.on('close', done));
    long.write(Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.alloc(5000)]));
    long.resume();
    await closed;
    const idle = Array.from({ length: 80 }, () => connectTcp(netnsPath));
    lab.onEnd(() => {
      for (const socket of idle) socket.destroy();
    });
    let ended = 0;
    for (const socket of idle) {
      socket.on('error', () => {}).on('close', () => (ended += 1));
      socket.write(frame(query('web')).subarray(0, 5));
      socket.resume();
    }
    while (ended < 16) await new Promise((next) => setTimeout(next, 5));
    assert.deepEqual(await resolve(netnsPath, 'web'), found('10.9.0.2'));
  });
});

describe('problems and costs', { timeout: 60_000 }, () => {
  it('are told when questions do not get through, and mended by an update', async () => {
    using lab = new NameLab();
    const { service, box } = start(lab);
    const web = box('web-with-a-long-id', endpoint('net', '10.9.0.2', ['web']));
    assert.deepEqual(service.problems(), []);
    withNetns(web.netnsPath, () => runNft('flush ruleset'));
    const [sentence, ...more] = service.problems();
    assert.match(
      sentence!,
      /^the name server of container web-with-a-l does not answer: its namespace does not redirect port 53/,
    );
    assert.deepEqual(more, []);
    service.update(web);
    assert.deepEqual(service.problems(), []);
    assert.deepEqual(await resolve(web.netnsPath, 'web'), found('10.9.0.2'));
    const [port] = withNetns(web.netnsPath, redirectedPorts);
    withNetns(web.netnsPath, () => runNft(`flush chain ip wharf_names_${port} in`));
    assert.equal(service.problems().length, 1);
    service.update(web);
    assert.deepEqual(await resolve(web.netnsPath, 'web'), found('10.9.0.2'));
  });

  it('are told when the namespace is gone, until the sandbox is, or is there again', async () => {
    using lab = new NameLab();
    const { service, box } = start(lab);
    const asker = box('asker', endpoint('net', '10.9.0.2', ['asker']));
    const gone = sandbox('gone', '/nowhere/ns', endpoint('net', '10.9.0.3', ['gone']));
    assert.throws(() => service.update(gone), { kind: 'not-found' });
    assert.match(
      service.problems().join(),
      /^the name server of container gone does not answer: .*\/nowhere\/ns/,
    );
    assert.deepEqual(await resolve(asker.netnsPath, 'gone'), found('10.9.0.3'));
    service.update({ ...gone, netnsPath: lab.netns() });
    assert.deepEqual(service.problems(), []);
    assert.throws(() => service.update(gone), { kind: 'not-found' });
    service.remove('gone');
    assert.deepEqual(service.problems(), []);
  });

  it('are two descriptors for a sandbox, given back by its removal', async () => {
    using lab = new NameLab();
    const { service, box } = start(lab);
    box('first', endpoint('net', '10.9.0.1', ['first']));
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    for (let n = 0; n < 40; n++) box(`s${n}`, endpoint('net', `10.9.1.${n}`, [`s${n}`]));
    assert.equal(descriptors() - before, 80);
    for (let n = 0; n < 40; n++) service.remove(`s${n}`);
    service.remove('never');
    await new Promise((next) => setImmediate(next));
    assert.equal(descriptors(), before);
  });
});
