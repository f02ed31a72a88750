import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { silentLog } from '../../base/index.ts';
import type { Connection } from '../../sys/index.ts';
import type { PublishedPort } from '../types.ts';
import { ConnectionSweep } from './conntrack.ts';

const entry = (more: Partial<Connection>): Connection => ({
  protocol: 17,
  source: '192.0.2.9',
  sourcePort: 4000,
  destination: '127.0.0.1',
  destinationPort: 53,
  replySource: '127.0.0.1',
  replySourcePort: 53,
  ...more,
});
const six = (ip: string) => ip.includes(':');

/** A kernel's table of connections, of which those that match are taken. */
function table(...entries: Connection[]) {
  const left = new Set(entries);
  const looks: number[] = [];
  const remove = (family: 4 | 6, match: (one: Connection) => boolean) => {
    looks.push(family);
    const gone = [...left].filter((one) => six(one.source) === (family === 6) && match(one));
    for (const one of gone) left.delete(one);
    return gone.length;
  };
  return { left: () => [...left], looks, remove };
}

const udp = (hostIp: string, hostPort = 53): PublishedPort => ({
  protocol: 'udp',
  containerPort: 5353,
  hostIp,
  hostPort,
});

describe('connections', () => {
  it('of addresses that nobody has any more are forgotten, in one look at each family, before others get them', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const to = entry({ destination: '10.0.0.2' });
    const from = entry({ source: '10.0.0.2' });
    const translated = entry({ replySource: '10.0.0.2' });
    const v6 = entry({ source: 'fd00::2', destination: '2001:db8::1', replySource: '2001:db8::1' });
    const other = entry({});
    const kernel = table(to, from, translated, v6, other);
    const sweep = new ConnectionSweep(silentLog, kernel.remove);
    sweep.forget(['10.0.0.2', '']);
    sweep.forget(['10.0.0.3', 'fd00::2']);
    sweep.forget(['', '']);
    assert.deepEqual(kernel.looks, []);
    t.mock.timers.tick(5000);
    assert.deepEqual([kernel.left(), kernel.looks], [[other], [4, 6]]);
    sweep.forget(['']);
    t.mock.timers.tick(5000);
    assert.equal(kernel.looks.length, 2, 'nothing more is to be done');
  });

  it('to an address that the port came back to are kept', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const port = { ...udp('0.0.0.0'), protocol: 'tcp' as const };
    const [here, there] = ['10.0.0.2', '10.0.1.2'].map((replySource) =>
      entry({ protocol: 6, replySource, replySourcePort: 5353 }),
    ) as [Connection, Connection];
    const kernel = table(here, there);
    const sweep = new ConnectionSweep(silentLog, kernel.remove);
    for (const [from, to] of [
      ['10.0.0.2', '10.0.1.2'],
      ['10.0.1.2', '10.0.0.2'],
    ] as const) {
      sweep.release(port, from);
      sweep.publish(port, to);
    }
    t.mock.timers.tick(1000);
    assert.deepEqual(kernel.left(), [here]);
  });

  it('that were not led to a newly published UDP port are, once for many ports', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const host =
      Object.values(networkInterfaces())
        .flat()
        .find((one) => one?.family === 'IPv4')?.address ?? '';
    const own = entry({ destination: host, replySource: host });
    const elsewhere = entry({ destination: '198.51.100.7', replySource: '198.51.100.7' });
    const led = entry({ destination: host, replySource: '10.0.0.9' });
    const tcp = entry({ protocol: 6, destination: host, replySource: host });
    const kernel = table(own, elsewhere, led, tcp);
    const sweep = new ConnectionSweep(silentLog, kernel.remove);
    for (const port of [udp('0.0.0.0'), udp('0.0.0.0', 54), { ...udp('::'), protocol: 'tcp' as const }])
      sweep.publish(port, '10.0.0.9');
    assert.deepEqual(kernel.looks, []);
    t.mock.timers.tick(1000);
    assert.deepEqual([kernel.left(), kernel.looks], [[elsewhere, led, tcp], [4]]);
  });

  it('to one address are told from those to another', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const mine = entry({ destination: '2001:db8::1', replySource: '2001:db8::1', source: '2001:db8::9' });
    const other = entry({ destination: '2001:db8::2', replySource: '2001:db8::2', source: '2001:db8::9' });
    const kernel = table(mine, other);
    new ConnectionSweep(silentLog, kernel.remove).publish(udp('2001:db8::1'), 'fd00::9');
    t.mock.timers.tick(1000);
    assert.deepEqual(kernel.left(), [other]);
  });

  it('that are led to a container are, when its port is given back', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const led = entry({ protocol: 6, replySource: '10.0.0.2', replySourcePort: 5353 });
    const others = [
      entry({ replySource: '10.0.0.3', replySourcePort: 5353 }),
      entry({ destination: '198.51.100.7', replySource: '198.51.100.7' }),
      entry({ protocol: 6, replySource: '10.0.0.2', replySourcePort: 5354 }),
    ];
    const kernel = table(led, ...others);
    const sweep = new ConnectionSweep(silentLog, kernel.remove);
    sweep.release({ ...udp('0.0.0.0'), protocol: 'tcp' }, '10.0.0.2');
    t.mock.timers.tick(1000);
    assert.deepEqual(kernel.left(), others);
    t.mock.timers.tick(1000);
    assert.equal(kernel.looks.length, 1, 'nothing more is to be done');
  });

  it('that cannot be read are no error', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const sweep = new ConnectionSweep(silentLog, () => assert.fail('no such table'));
    sweep.publish(udp('0.0.0.0'), '10.0.0.9');
    t.mock.timers.tick(1000);
  });
});
