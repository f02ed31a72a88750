import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { silentLog } from '../base/index.ts';
import { formatIpv4, macOf, overlaps, parseIpv4, parseSubnet } from './address.ts';
import { networkConfig } from './config.ts';
import { AddressPool, chooseSubnet } from './pools.ts';
import { PortTable } from './publish.ts';
import { ReadySandboxes } from './ready-sandboxes.ts';
import { hostResolverConfig, parseResolvConf } from './resolver.ts';
import { markName, portCommands, portElement, tableScript } from './rules.ts';
import type { PortRequest } from './types.ts';

describe('addresses', () => {
  it('reads and writes IPv4, and refuses what is none', () => {
    for (const text of ['0.0.0.0', '10.213.0.7', '255.255.255.255'])
      assert.equal(formatIpv4(parseIpv4(text)), text);
    for (const text of ['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '1.2.3.x', '1.2.3.-4'])
      assert.throws(() => parseIpv4(text), { kind: 'invalid' });
    assert.deepEqual(parseSubnet('10.1.2.3/8'), {
      address: parseIpv4('10.1.2.3'),
      base: parseIpv4('10.0.0.0'),
      prefix: 8,
    });
    assert.throws(() => parseSubnet('10.0.0.0/33'), { kind: 'invalid' });
    assert.equal(macOf('172.17.0.2'), '02:42:ac:11:00:02');
  });

  it('tells ranges that touch', () => {
    const touch = (a: string, b: string) => overlaps(parseSubnet(a), parseSubnet(b));
    assert.equal(touch('10.0.0.0/8', '10.200.0.0/16'), true);
    assert.equal(touch('10.200.0.0/16', '10.0.0.0/8'), true);
    assert.equal(touch('10.0.0.0/24', '10.0.1.0/24'), false);
  });
});

describe('pools', () => {
  it('cut subnets around what is in use, across spaces', () => {
    const spaces = [
      { base: '172.17.0.0/16', size: 16 },
      { base: '192.168.0.0/16', size: 20 },
    ];
    assert.equal(chooseSubnet(spaces, []), '172.17.0.0/16');
    const used = ['172.16.0.0/12', '192.168.1.0/24'].map(parseSubnet);
    assert.equal(chooseSubnet(spaces, used), '192.168.16.0/20');
    assert.throws(() => chooseSubnet(spaces, [parseSubnet('0.0.0.0/0')]), { kind: 'exhausted' });
  });

  it('give addresses upward, and recovered ones once', () => {
    const pool = new AddressPool('10.0.0.0/29', ['10.0.0.1'], () => true);
    assert.equal(pool.claim('10.0.0.3', 'wv3'), true);
    assert.equal(pool.claim('10.0.0.3', 'wv3'), true, 'the same holder may ask again');
    assert.equal(pool.claim('10.0.0.3', 'other'), false);
    assert.equal(pool.claim('10.0.1.3', 'other'), false, 'not of this subnet');
    assert.deepEqual([pool.take('a'), pool.take('b')], ['10.0.0.2', '10.0.0.4']);
    pool.release('10.0.0.2', 'a');
    assert.equal(pool.take('c'), '10.0.0.2');
  });
});

describe('configuration', () => {
  it('has the defaults of the Engine, and refuses nonsense', () => {
    const config = networkConfig();
    assert.deepEqual(config.defaultAddressPools[0], { base: '172.17.0.0/16', size: 16 });
    assert.deepEqual(config.defaultAddressPools.at(-1), { base: '192.168.0.0/16', size: 20 });
    for (const bad of [
      { bridge: 'a-name-too-long-for-linux' },
      { bridge: 'x"; drop' },
      { nftTable: 'a b' },
      { bip: 'x' },
      { mtu: 12 },
      { defaultAddressPools: [{ base: '10.0.0.0/8', size: 4 }] },
    ])
      assert.throws(() => networkConfig(bad), { kind: 'invalid' });
  });
});

describe('resolv.conf', () => {
  it('is read as resolv.conf(5) says', () => {
    const text =
      '# c\nnameserver 1.1.1.1 ; x\nnameserver 9.9.9.9\ndomain old\nsearch a.example b.example .\noptions ndots:2\noptions rotate\n';
    assert.deepEqual(parseResolvConf(text), {
      nameservers: ['1.1.1.1', '9.9.9.9'],
      search: ['a.example', 'b.example'],
      options: ['ndots:2', 'rotate'],
    });
  });

  it('goes behind the stub, drops loopback, falls back', () => {
    const files: Record<string, string> = {
      '/etc/resolv.conf': 'nameserver 127.0.0.53\nsearch stub',
      '/run/systemd/resolve/resolv.conf': 'nameserver 10.0.0.53\nnameserver fe80::1\nsearch real',
    };
    const read = (path: string) => files[path];
    assert.deepEqual(hostResolverConfig(read), { nameservers: ['10.0.0.53'], search: ['real'], options: [] });
    assert.deepEqual(hostResolverConfig(read, true).nameservers, ['10.0.0.53', 'fe80::1']);
    assert.deepEqual(hostResolverConfig(() => 'nameserver 127.0.0.1').nameservers, ['8.8.8.8', '8.8.4.4']);
    assert.deepEqual(hostResolverConfig(() => undefined).nameservers, ['8.8.8.8', '8.8.4.4']);
  });
});

describe('rules', () => {
  const port = { protocol: 'tcp' as const, containerPort: 80, hostPort: 8080, containerIp: '10.0.0.2' };

  it('map a port of any address, of one, and no IPv6 one', () => {
    const commands = portCommands('add', 't', [
      { ...port, hostIp: '0.0.0.0' },
      { ...port, hostIp: '::' },
      { ...port, hostIp: '127.0.0.1' },
    ]);
    assert.equal(
      commands,
      'add element ip t published-any { tcp . 8080 : 10.0.0.2 . 80 }\n' +
        'add element ip t published { 127.0.0.1 . tcp . 8080 : 10.0.0.2 . 80 }\n',
    );
    assert.equal(portElement({ ...port, hostIp: '::' }), undefined);
    assert.equal(
      portCommands('delete', 't', [{ ...port, hostIp: '0.0.0.0' }]),
      'delete element ip t published-any { tcp . 8080 }\n',
    );
  });

  it('replace the table in one transaction, and tell themselves from others', () => {
    const rules = { bridge: 'wharf0', subnet: '10.0.0.0/24' };
    const script = tableScript('t', rules, []);
    assert.match(script, /^add table ip t\ndelete table ip t\ntable ip t \{/);
    assert.ok(script.includes(markName(rules)));
    assert.notEqual(markName(rules), markName({ ...rules, subnet: '10.0.1.0/24' }));
  });
});

describe('ports', () => {
  const owner = { containerId: 'c'.repeat(64), name: 'web', endpointId: 'e1', containerIp: '10.0.0.2' };
  const ask = (hostPort: number, more: Partial<PortRequest> = {}): PortRequest => ({
    protocol: 'tcp',
    containerPort: 80,
    hostIp: '',
    hostPort,
    ...more,
  });
  const table = (options: { hold?: () => Promise<{ close(): void }>; range?: [number, number] } = {}) =>
    new PortTable({
      hostBinding: '0.0.0.0',
      ipv6: true,
      range: [40000, 40003],
      hold: async () => ({ close() {} }),
      ...options,
    });

  it('are listed for both families when no address is named, if the host has both', async () => {
    const made = await table().reserve([ask(8080)], owner);
    assert.deepEqual(
      made.map(({ hostIp, hostPort }) => `${hostIp} ${hostPort}`),
      ['0.0.0.0 8080', ':: 8080'],
    );
  });

  it('are refused in the words of the Engine when a container has them', async () => {
    const ports = table();
    await ports.reserve([ask(8080)], owner);
    const expected =
      'failed to set up container networking: driver failed programming external connectivity on endpoint db (e2): ' +
      'Bind for 127.0.0.1:8080 failed: port is already allocated (by container cccccccccccc)';
    const other = { ...owner, containerId: 'd', name: 'db', endpointId: 'e2' };
    await assert.rejects(ports.reserve([ask(8080, { hostIp: '127.0.0.1' })], other), {
      kind: 'conflict',
      message: expected,
    });
    await ports.reserve([ask(8080, { protocol: 'udp' })], other);
  });

  it('go side by side on different addresses', async () => {
    const ports = table();
    await ports.reserve([ask(8080, { hostIp: '127.0.0.1' })], owner);
    await ports.reserve([ask(8080, { hostIp: '127.0.0.2' })], owner);
    await assert.rejects(ports.reserve([ask(8080)], owner), { kind: 'conflict' });
  });

  it('are refused when a process has them, and the process is named', async (t) => {
    const server = createServer();
    t.after(() => server.close());
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const real = new PortTable({ hostBinding: '0.0.0.0', ipv6: false });
    const failed = real.reserve([ask(port, { hostIp: '127.0.0.1' })], owner);
    await assert.rejects(failed, (thrown: Error) => {
      const text = `failed to bind host port for 127.0.0.1:${port}:10.0.0.2:80/tcp: address already in use (held by `;
      assert.ok(thrown.message.includes(text), thrown.message);
      assert.ok(thrown.message.includes(`pid ${process.pid})`), thrown.message);
      return true;
    });
    await assert.rejects(
      real.reserve([ask(9, { hostIp: '203.0.113.9' })], owner),
      /cannot assign requested address/,
    );
  });

  it('are really held, and given back', async () => {
    const real = new PortTable({ hostBinding: '127.0.0.1', ipv6: false });
    for (const protocol of ['tcp', 'udp'] as const) {
      const [port] = await real.reserve([ask(0, { protocol })], owner);
      const other = new PortTable({ hostBinding: '127.0.0.1', ipv6: false });
      await assert.rejects(
        other.reserve([ask(port!.hostPort, { protocol })], owner),
        /address already in use/,
      );
      real.release([port!]);
      const again = await other.reserve([ask(port!.hostPort, { protocol })], owner);
      other.release(again);
    }
  });

  it('take the first free one of a range, and go round among the free', async () => {
    const ports = table();
    const range = ask(9000, { hostPortEnd: 9001, hostIp: '127.0.0.1' });
    assert.equal((await ports.reserve([range], owner))[0]?.hostPort, 9000);
    assert.equal((await ports.reserve([range], owner))[0]?.hostPort, 9001);
    await assert.rejects(ports.reserve([range], owner), { kind: 'conflict' });
    const free = async () => (await ports.reserve([ask(0)], owner))[0]!;
    const first = await free();
    assert.equal(first.hostPort, 40000);
    ports.release([first]);
    assert.equal((await free()).hostPort, 40001, 'not the one that was just given back');
    await free();
    await free();
    await free();
    await assert.rejects(free(), { kind: 'exhausted' });
  });

  it('are all given back when one of them fails, and refuse IPv6 addresses clearly', async () => {
    const ports = table();
    const mixed = [ask(7000), ask(7001, { hostIp: '::1' })];
    await assert.rejects(ports.reserve(mixed, owner), { kind: 'not-implemented' });
    await assert.rejects(ports.reserve([ask(1, { hostIp: 'nonsense' })], owner), { kind: 'invalid' });
    await ports.reserve([ask(7000)], owner);
  });

  it('come back after a restart, and name what is lost', async () => {
    const taken = table({
      hold: () => Promise.reject(Object.assign(new Error('x'), { code: 'EADDRINUSE' })),
    });
    const mapping = { protocol: 'tcp' as const, containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080 };
    assert.deepEqual(await taken.restore([mapping], owner), [
      '0.0.0.0:8080/tcp could not be held: EADDRINUSE',
    ]);
    assert.deepEqual(await taken.restore([mapping], owner), [], 'a second time is nothing');
  });
});

describe('things kept ready', () => {
  it('are made between other work, up to the target, and dropped at the end', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let made = 0;
    const dropped: number[] = [];
    const ready = new ReadySandboxes({
      target: 2,
      make: () => ++made,
      drop: (item) => dropped.push(item),
      log: silentLog,
    });
    assert.equal(ready.take(), 1, 'none is ready: made now');
    assert.deepEqual(ready.ready(), []);
    for (let at = 0; at < 5; at++) t.mock.timers.tick(100);
    assert.deepEqual(ready.ready(), [2, 3]);
    assert.equal(ready.take(), 2);
    ready.putBack(2);
    assert.equal(ready.take(), 2, 'the unused one is first again');
    ready.close();
    assert.deepEqual(dropped, [3]);
    for (let at = 0; at < 5; at++) t.mock.timers.tick(100);
    assert.equal(made, 3);
  });

  it('survive a maker that fails', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const make = () => {
      throw new Error('no');
    };
    const ready = new ReadySandboxes({ target: 1, make, drop() {}, log: silentLog });
    ready.refillSoon();
    t.mock.timers.tick(1000);
    assert.deepEqual(ready.ready(), []);
    assert.throws(() => ready.take(), /no/);
    ready.close();
  });
});
