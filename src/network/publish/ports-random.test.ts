import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog, WharfError } from '../../base/index.ts';
import type { PortRequest, PublishedPort } from '../types.ts';
import type { Hold, Place } from './held-port.ts';
import { openPorts } from './ports.ts';
import type { PortOwner, Ports } from './types.ts';

function generator(seed: number) {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return { below, of: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}

const owner = (containerId: string, more: Partial<PortOwner>): PortOwner => ({
  containerId,
  name: containerId,
  endpointId: 'e',
  ipv4: '10.0.0.2',
  ipv6: '',
  policy: 'open',
  hostBinding: '',
  netnsPath: '/n',
  ...more,
});

/** A host whose ports are counted and not bound; some are another program's. */
function host(foreign: ReadonlySet<string> = new Set()) {
  const held = new Map<string, number>();
  const keyOf = ({ protocol, hostIp, hostPort }: Place) => `${protocol} ${hostIp} ${hostPort}`;
  const hold: Hold = (place) => {
    const key = keyOf(place);
    if (foreign.has(key)) throw Object.assign(new Error(key), { code: 'EADDRINUSE' });
    const change = (by: number) => void held.set(key, (held.get(key) ?? 0) + by);
    change(1);
    return { retarget() {}, close: () => change(-1) };
  };
  const expect = (ports: readonly PublishedPort[], where: string) => {
    const wanted = new Map(ports.map((port) => [keyOf(port), 1]));
    const found = [...held].filter(([, count]) => count !== 0);
    assert.deepEqual(new Map(found.sort()), new Map([...wanted].sort()), where);
  };
  return { expect, hold };
}
const open = (hold: Hold, range: [number, number] = [40000, 40009]): Ports =>
  openPorts({ log: silentLog, hold, ipv6: true, range, forget: () => 0 });

const family = (ip: string) => (ip.includes(':') ? 6 : 4);
const any = (ip: string) => ip === '0.0.0.0' || ip === '::';
const clash = (a: PublishedPort, b: PublishedPort) =>
  a.protocol === b.protocol &&
  a.hostPort === b.hostPort &&
  family(a.hostIp) === family(b.hostIp) &&
  (a.hostIp === b.hostIp || any(a.hostIp) || any(b.hostIp));

describe('random publications', () => {
  it('are given whole or not at all, never two on one place, and hold just what they say', async () => {
    const { below, of } = generator(1);
    const { hold, expect } = host(new Set(['tcp 127.0.0.1 8081', 'udp 0.0.0.0 8082', 'tcp :: 40003']));
    const ports = open(hold);
    const given = new Map<string, PublishedPort[]>();
    const owners = [{}, { ipv6: 'fd00::2' }, { ipv4: '', ipv6: 'fd00::2' }, { hostBinding: '127.0.0.3' }];
    let [refused, made] = [0, 0];
    for (let round = 0; round < 3000; round++) {
      const all = [...given.values()].flat();
      if (below(5) < 2 && given.size > 0) {
        const [id, list] = of([...given]);
        ports.release(list);
        ports.release(list);
        given.delete(id);
      } else {
        const requests: PortRequest[] = Array.from({ length: 1 + below(3) }, () => {
          const hostPort = of([0, 8080, 8081, 8082, 8083]);
          const more = hostPort !== 0 && below(3) === 0 ? { hostPortEnd: hostPort + 2 } : {};
          const hostIp = of(['', '127.0.0.1', '127.0.0.2', '::1', '::', '0.0.0.0']);
          return {
            protocol: of(['tcp', 'udp', 'sctp'] as const),
            containerPort: 80,
            hostIp,
            hostPort,
            ...more,
          };
        });
        const mine = of(owners);
        try {
          const list = await ports.reserve(requests, owner(`c${round}`, mine));
          for (const [at, one] of list.entries())
            for (const other of [...all, ...list.slice(at + 1)])
              assert.ok(!clash(one, other), JSON.stringify([one, other]));
          const expected = requests.flatMap((request) => placesOf(request.hostIp, mine));
          assert.deepEqual(
            list.map(({ hostIp }) => hostIp),
            expected,
          );
          given.set(`c${round}`, list);
          made += 1;
        } catch (thrown) {
          if (thrown instanceof assert.AssertionError) throw thrown;
          assert.ok(['conflict', 'exhausted'].includes(WharfError.from(thrown).kind), String(thrown));
          refused += 1;
        }
      }
      expect([...given.values()].flat(), `round ${round}`);
    }
    assert.ok(made > 200 && refused > 200, `${made} made, ${refused} refused`);
    ports.releaseAll();
    expect([], 'the end');
  });

  it('asked for at once get different ports, and one of them a port that all want', async () => {
    const { hold, expect } = host();
    const ports = open(hold, [40000, 40019]);
    const request = (hostPort: number): PortRequest => ({
      protocol: 'tcp',
      containerPort: 80,
      hostIp: '',
      hostPort,
    });
    const free = await Promise.all(
      Array.from({ length: 20 }, (_, at) => ports.reserve([request(0)], owner(`c${at}`, {}))),
    );
    assert.equal(new Set(free.flat().map(({ hostPort }) => hostPort)).size, 20);
    const same = await Promise.allSettled(
      Array.from({ length: 5 }, (_, at) => ports.reserve([request(9000)], owner(`d${at}`, {}))),
    );
    const won = same.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    assert.equal(won.length, 2);
    expect([...free.flat(), ...won], 'all');
  });
});

/** The host addresses that a request stands for, by the rules of families. */
function placesOf(hostIp: string, { ipv4, hostBinding }: { ipv4?: string; hostBinding?: string }): string[] {
  const asked = hostIp || hostBinding;
  return (asked ? [asked] : ['0.0.0.0', '::']).filter((ip) => family(ip) === 6 || ipv4 !== '');
}
