import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '../../base/index.ts';
import type { PortRequest } from '../types.ts';
import type { Destination, Hold, Place } from './held-port.ts';
import { openPorts } from './ports.ts';
import type { PortOwner } from './types.ts';

const owner = (more: Partial<PortOwner> = {}): PortOwner => ({
  containerId: 'c'.repeat(64),
  name: 'web',
  endpointId: 'e1',
  ipv4: '10.0.0.2',
  ipv6: '',
  policy: 'open',
  hostBinding: '',
  netnsPath: '/n',
  ...more,
});
const ask = (hostPort: number, more: Partial<PortRequest> = {}): PortRequest => ({
  protocol: 'tcp',
  containerPort: 80,
  hostIp: '',
  hostPort,
  ...more,
});

const text = ({ protocol, hostIp, hostPort }: Place) => `${protocol} ${hostIp} ${hostPort}`;

/** A host whose ports are listed and not bound; `foreign` ones fail with that code. */
function host(foreign: Record<string, string> = {}) {
  const held = new Map<string, Destination>();
  const hold: Hold = (place, destination) => {
    const key = text(place);
    const code = foreign[key];
    if (code) throw Object.assign(new Error('no'), { cause: Object.assign(new Error(code), { code }) });
    assert.ok(!held.has(key), `${key} held twice`);
    held.set(key, destination);
    return {
      retarget: (to) => void held.set(key, to),
      close: () => assert.ok(held.delete(key), `${key} closed twice`),
    };
  };
  return { held, hold };
}
const open = (hold: Hold, more: { ipv6?: boolean; range?: [number, number] } = {}) =>
  openPorts({ log: silentLog, hold, ipv6: true, range: [40000, 40009], forget: () => 0, ...more });

const start = (name = 'web', endpoint = 'e1') =>
  `failed to set up container networking: driver failed programming external connectivity on endpoint ${name} (${endpoint}): `;

describe('a port without an address', () => {
  it('is published on both families under one number, be it fixed, of a range or any', async () => {
    const { hold, held } = host({ 'tcp :: 9000': 'EADDRINUSE', 'tcp :: 40000': 'EADDRINUSE' });
    const ports = open(hold);
    const requests = [ask(0), ask(9000, { hostPortEnd: 9001 }), ask(80)];
    const made = await ports.reserve(requests, owner());
    assert.deepEqual(made.map(text), [
      'tcp 0.0.0.0 40001',
      'tcp :: 40001',
      'tcp 0.0.0.0 9001',
      'tcp :: 9001',
      'tcp 0.0.0.0 80',
      'tcp :: 80',
    ]);
    assert.deepEqual([...held.keys()].sort(), made.map(text).sort());
    ports.release(made);
    assert.equal(held.size, 0);
  });

  it('is of IPv4 alone on a host without IPv6, of IPv6 alone before a container without IPv4', async () => {
    assert.deepEqual((await open(host().hold, { ipv6: false }).reserve([ask(80)], owner())).map(text), [
      'tcp 0.0.0.0 80',
    ]);
    const six = owner({ ipv4: '', ipv6: 'fd00::2' });
    assert.deepEqual((await open(host().hold).reserve([ask(80)], six)).map(text), ['tcp :: 80']);
    assert.deepEqual(await open(host().hold).reserve([ask(80, { hostIp: '127.0.0.1' })], six), []);
    assert.deepEqual(await open(host().hold).reserve([ask(80)], owner({ ipv4: '' })), []);
  });

  it('follows the network’s binding', async () => {
    const made = await open(host().hold).reserve([ask(80)], owner({ hostBinding: '192.0.2.7' }));
    assert.deepEqual(made.map(text), ['tcp 192.0.2.7 80']);
  });
});

describe('requests for one container port', () => {
  it('on several addresses share a number that is chosen', async () => {
    const on = (hostIp: string) => ask(0, { hostIp });
    const made = await open(host().hold).reserve([on('127.0.0.1'), on('::1'), on('127.0.0.1')], owner());
    assert.deepEqual(made.map(text), ['tcp 127.0.0.1 40000', 'tcp ::1 40000', 'tcp 127.0.0.1 40001']);
  });

  it('write addresses in one way, and refuse what is none', async () => {
    const on = (hostIp: string, hostPort: number) => ask(hostPort, { hostIp });
    const made = await open(host().hold).reserve([on('0:0::1', 1), on('::ffff:127.0.0.1', 2)], owner());
    assert.deepEqual(made.map(text), ['tcp ::1 1', 'tcp 127.0.0.1 2']);
    for (const hostIp of ['nonsense', 'fe80::1%lo', ':', '1.2.3'])
      await assert.rejects(open(host().hold).reserve([ask(1, { hostIp })], owner()), { kind: 'invalid' });
  });
});

describe('what is in the way', () => {
  const other = owner({ containerId: 'd', name: 'db', endpointId: 'e2' });
  it('is named as the Engine names it, with the container that has it', async () => {
    const ports = open(host().hold);
    await ports.reserve([ask(8080)], owner());
    for (const [hostIp, named] of [
      ['', '::'],
      ['127.0.0.1', '0.0.0.0'],
      ['::1', '::'],
    ])
      await assert.rejects(ports.reserve([ask(8080, hostIp ? { hostIp } : {})], other), {
        kind: 'conflict',
        message: `${start('db', 'e2')}Bind for ${named}:8080 failed: port is already allocated (by container web)`,
      });
    await ports.reserve([ask(8080, { protocol: 'udp' })], other);
  });

  it('is not what has another address or family', async () => {
    const ports = open(host().hold);
    for (const hostIp of ['127.0.0.1', '127.0.0.2', '::1', '::2'])
      await ports.reserve([ask(8080, { hostIp })], owner());
    await assert.rejects(ports.reserve([ask(8080, { hostIp: '::' })], other), { kind: 'conflict' });
    await assert.rejects(ports.reserve([ask(8080, { hostIp: '0.0.0.0' })], other), { kind: 'conflict' });
  });

  it('of a system is told in its words, and what was taken before is given back', async () => {
    const failures = [
      ['EADDRINUSE', 'tcp 127.0.0.1 81', '127.0.0.1:81:10.0.0.2:80/tcp: address already in use'],
      [
        'EADDRNOTAVAIL',
        'udp 203.0.113.9 81',
        '203.0.113.9:81:10.0.0.2:80/udp: cannot assign requested address',
      ],
      ['EACCES', 'sctp 127.0.0.1 81', '127.0.0.1:81:10.0.0.2:80/sctp: permission denied'],
      [
        'EADDRNOTAVAIL',
        'tcp 2001:db8::9 81',
        '[2001:db8::9]:81:10.0.0.2:80/tcp: cannot assign requested address',
      ],
      ['EPERM', 'tcp :: 81', '[::]:81:10.0.0.2:80/tcp: no'],
    ] as const;
    for (const [code, key, words] of failures) {
      const { hold, held } = host({ [key]: code });
      const [protocol = '', hostIp = ''] = key.split(' ');
      const request = ask(81, { protocol: protocol as 'tcp', hostIp: hostIp === '::' ? '' : hostIp });
      await assert.rejects(open(hold).reserve([ask(80), request], owner()), {
        kind: 'conflict',
        message: `${start()}failed to bind host port for ${words}`,
      });
      assert.equal(held.size, 0);
    }
  });

  it('within a range leaves the next, until none is left', async () => {
    const { hold } = host({ 'tcp 127.0.0.1 9001': 'EADDRINUSE', 'tcp 127.0.0.1 9102': 'EADDRINUSE' });
    const ports = open(hold);
    const range = ask(9000, { hostPortEnd: 9002, hostIp: '127.0.0.1' });
    const taken: number[] = [];
    for (let at = 0; at < 2; at++)
      taken.push(...(await ports.reserve([range], owner())).map(({ hostPort }) => hostPort));
    assert.deepEqual(taken, [9000, 9002]);
    await assert.rejects(ports.reserve([range], other), {
      message: `${start('db', 'e2')}all ports are allocated`,
    });
    await ports.reserve([ask(9101, { hostIp: '127.0.0.1' })], owner());
    const ended = ask(9101, { hostPortEnd: 9102, hostIp: '127.0.0.1' });
    await assert.rejects(ports.reserve([ended], other), {
      message: `${start('db', 'e2')}failed to bind host port 9102 for 127.0.0.1:9101-9102:10.0.0.2:80/tcp: address already in use`,
    });
  });

  it('of any port is nothing until all are given, which go round', async () => {
    const ports = open(host().hold, { range: [40000, 40001] });
    const first = await ports.reserve([ask(0)], owner());
    ports.release(first);
    const [second] = await ports.reserve([ask(0)], owner());
    assert.equal(second?.hostPort, 40001, 'not the one that was just given back');
    await ports.reserve([ask(0)], owner());
    await assert.rejects(ports.reserve([ask(0)], owner()), {
      kind: 'exhausted',
      message: `${start()}all ports are allocated`,
    });
  });
});

describe('what a held port carries', () => {
  it('goes to the address of its family, with the client’s address under obey', async () => {
    const { hold, held } = host();
    const ports = open(hold);
    const to = (key: string) => held.get(key);
    const dual = owner({ ipv6: 'fd00::2' });
    const made = await ports.reserve([ask(80)], dual);
    assert.deepEqual(to('tcp 0.0.0.0 80'), { ip: '10.0.0.2', port: 80, keepSource: false });
    assert.deepEqual(to('tcp :: 80'), { ip: 'fd00::2', port: 80, keepSource: false });
    ports.retarget(made, owner({ ipv4: '10.0.0.9', policy: 'obey' }));
    assert.deepEqual(to('tcp 0.0.0.0 80'), { ip: '10.0.0.9', port: 80, keepSource: true });
    assert.deepEqual(to('tcp :: 80'), { ip: '10.0.0.9', port: 80, keepSource: false }, 'families differ');
    ports.retarget([{ ...made[0]!, hostPort: 9 }], dual);
    ports.releaseAll();
    assert.equal(held.size, 0);
  });
});

describe('after a restart', () => {
  it('ports come back as they were, one of a stranger is named, and none is held twice', async () => {
    const { hold, held } = host({ 'tcp ::1 81': 'EADDRINUSE' });
    const ports = open(hold);
    const port = (hostPort: number, hostIp = '127.0.0.1') => ({ ...ask(hostPort), hostIp });
    const known = [port(80), port(81, '::1'), port(80, '::')];
    assert.deepEqual(await ports.restore(known, owner()), ['[::1]:81/tcp could not be held: EADDRINUSE']);
    assert.deepEqual(await ports.restore(known, owner()), []);
    assert.equal(held.size, 2);
    const failed = ports.reserve([ask(81, { hostIp: '::1' })], owner({ containerId: 'x' }));
    await assert.rejects(failed, /\(by container web\)/);
    ports.release(known);
    ports.release(known);
    assert.equal(held.size, 0);
    await ports.reserve([ask(80)], owner());
  });
});
