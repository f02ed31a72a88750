import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { WharfError } from '../../base/index.ts';
import type { PortRequest, PublishedPort } from '../types.ts';
import { type HoldPort, holderOf, holdPort } from './host-port.ts';
import { PortTable, portTargets } from './publish.ts';

function generator(seed: number) {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return { below, of: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}

const owner = (containerId: string) => ({
  containerId,
  name: containerId,
  endpointId: 'e',
  containerIp: '10.0.0.2',
});
const ask = (hostPort: number, more: Partial<PortRequest> = {}): PortRequest => ({
  protocol: 'tcp',
  containerPort: 80,
  hostIp: '127.0.0.1',
  hostPort,
  ...more,
});

/** A host whose ports are counted and not bound; some are another program's. */
function host(foreign: ReadonlySet<string> = new Set()) {
  const held = new Map<string, number>();
  const hold: HoldPort = async (protocol, ip, port) => {
    const key = `${protocol} ${ip} ${port}`;
    await Promise.resolve();
    if (foreign.has(key)) throw Object.assign(new Error(key), { code: 'EADDRINUSE' });
    held.set(key, (held.get(key) ?? 0) + 1);
    return { close: () => void held.set(key, (held.get(key) ?? 0) - 1) };
  };
  const count = () => [...held.values()].reduce((sum, one) => sum + one, 0);
  return { held, count, hold };
}
const table = (hold: HoldPort, range: [number, number] = [40000, 40009]) =>
  new PortTable({ hostBinding: '0.0.0.0', hold, ipv6: false, range });

const clash = (a: PublishedPort, b: PublishedPort) =>
  a.protocol === b.protocol &&
  a.hostPort === b.hostPort &&
  (a.hostIp === b.hostIp || a.hostIp === '0.0.0.0' || b.hostIp === '0.0.0.0');

describe('random publications', () => {
  it('are given whole or not at all, never two on one place, and hold just what they say', async () => {
    const { below, of } = generator(1);
    const foreign = new Set(['tcp 127.0.0.1 8081', 'udp 0.0.0.0 8082']);
    const { hold, count } = host(foreign);
    const ports = table(hold);
    const given = new Map<string, PublishedPort[]>();
    let [refused, made] = [0, 0];
    for (let round = 0; round < 2000; round++) {
      if (below(3) === 0 && given.size > 0) {
        const [id, list] = of([...given]);
        ports.release(list);
        ports.release(list);
        given.delete(id);
      } else {
        const requests = Array.from({ length: 1 + below(3) }, () =>
          ask(of([0, 8080, 8081, 8082, 8083]), {
            protocol: of(['tcp', 'udp', 'sctp'] as const),
            hostIp: of(['', '127.0.0.1', '127.0.0.2']),
          }),
        );
        try {
          const list = await ports.reserve(requests, owner(`c${round}`));
          const all = [...given.values()].flat();
          for (const [at, one] of list.entries())
            for (const other of [...all, ...list.slice(at + 1)])
              assert.ok(!clash(one, other), JSON.stringify([one, other]));
          assert.equal(list.length, requests.length);
          given.set(`c${round}`, list);
          made += 1;
        } catch (thrown) {
          if (thrown instanceof assert.AssertionError) throw thrown;
          assert.ok(['conflict', 'exhausted'].includes(WharfError.from(thrown).kind), String(thrown));
          refused += 1;
        }
      }
      assert.equal(count(), [...given.values()].flat().length, `round ${round}`);
    }
    assert.ok(made > 100 && refused > 100, `${made} made, ${refused} refused`);
    ports.releaseAll();
    assert.equal(count(), 0);
  });

  it('asked for at once get different ports, and one of them a port that all want', async () => {
    const { hold, count } = host();
    const ports = table(hold, [40000, 40019]);
    const free = await Promise.all(
      Array.from({ length: 20 }, (_, at) => ports.reserve([ask(0)], owner(`c${at}`))),
    );
    assert.equal(new Set(free.flat().map(({ hostPort }) => hostPort)).size, 20);
    const same = await Promise.allSettled(
      Array.from({ length: 5 }, (_, at) => ports.reserve([ask(9000)], owner(`d${at}`))),
    );
    assert.equal(same.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal(count(), 21);
  });
});

describe('a request', () => {
  it('for a fixed port is served before one for any, whatever their order', async () => {
    const { hold } = host();
    const list = await table(hold).reserve([ask(0), ask(40000)], owner('a'));
    assert.deepEqual(
      list.map(({ hostPort }) => hostPort),
      [40000, 40001],
    );
  });

  it('for a range takes the first that nobody has, be it a container or a program', async () => {
    const { hold } = host(new Set(['tcp 127.0.0.1 9001']));
    const ports = table(hold);
    const range = ask(9000, { hostPortEnd: 9002 });
    const taken: number[] = [];
    for (let at = 0; at < 2; at++)
      for (const { hostPort } of await ports.reserve([range], owner(`c${at}`))) taken.push(hostPort);
    assert.deepEqual(taken, [9000, 9002]);
    await assert.rejects(ports.reserve([range], owner('more')), { kind: 'conflict' });
  });

  it('that the system refuses otherwise says why in its words, and gives the earlier ones back', async () => {
    for (const [code, words] of [
      ['EACCES', 'permission denied'],
      ['EADDRNOTAVAIL', 'cannot assign requested address'],
      ['EPERM', 'Error: no'],
    ] as const) {
      let open = 0;
      const ports = table(async (_protocol, _ip, port) => {
        if (port === 81) throw Object.assign(new Error('no'), { code });
        open += 1;
        return { close: () => void open-- };
      });
      const message = `failed to set up container networking: driver failed programming external connectivity on endpoint web (e): failed to bind host port for 127.0.0.1:81:10.0.0.2:80/tcp: ${words}`;
      await assert.rejects(ports.reserve([ask(80), ask(81)], { ...owner('c'), name: 'web' }), {
        kind: 'conflict',
        message,
      });
      assert.equal(open, 0);
    }
  });

  it('without an address follows the daemon’s binding', async () => {
    const { hold } = host();
    const ports = new PortTable({ hostBinding: '192.0.2.7', hold, ipv6: true });
    const [port, ...more] = await ports.reserve([ask(80, { hostIp: '' })], owner('a'));
    assert.deepEqual([port?.hostIp, more], ['192.0.2.7', []]);
    assert.deepEqual(portTargets([port as PublishedPort], '10.9.9.9'), [
      { ...port, containerIp: '10.9.9.9' },
    ]);
  });
});

describe('after a restart', () => {
  it('ports come back as they were, one of a stranger is named, and none is held twice', async () => {
    const { hold, count } = host(new Set(['tcp 127.0.0.1 81']));
    const ports = table(hold);
    const port = (hostPort: number, hostIp = '127.0.0.1'): PublishedPort => ({
      protocol: 'tcp',
      containerPort: 80,
      hostIp,
      hostPort,
    });
    const known = [port(80), port(81), port(80, '::')];
    assert.deepEqual(await ports.restore(known, owner('a')), [
      '127.0.0.1:81/tcp could not be held: EADDRINUSE',
    ]);
    assert.deepEqual(await ports.restore(known, owner('a')), []);
    assert.equal(count(), 1);
    for (const hostPort of [80, 81]) {
      const taken = ports.reserve([ask(hostPort)], owner('b'));
      await assert.rejects(taken, /port is already allocated \(by container a\)/);
    }
    ports.release(known);
    await ports.reserve([ask(80)], owner('b'));
  });
});

describe('holding a port of the host', () => {
  it('keeps others out by the usual error, until it is closed', async () => {
    for (const protocol of ['tcp', 'udp'] as const) {
      const probe =
        protocol === 'tcp'
          ? createServer().listen(0, '127.0.0.1')
          : createSocket('udp4').bind(0, '127.0.0.1');
      await once(probe, 'listening');
      const { port } = probe.address() as { port: number };
      await assert.rejects(holdPort(protocol, '127.0.0.1', port), { code: 'EADDRINUSE' });
      assert.match(holderOf(protocol, port), new RegExp(`^ \\(held by .+, pid ${process.pid}\\)$`));
      probe.close();
      await once(probe, 'close');
      const held = await holdPort(protocol, '127.0.0.1', port);
      await assert.rejects(holdPort(protocol, '127.0.0.1', port), { code: 'EADDRINUSE' });
      held.close();
    }
  });

  it('of an address that is not the host’s is refused, and SCTP holds nothing', async () => {
    for (const protocol of ['tcp', 'udp'] as const)
      await assert.rejects(holdPort(protocol, '203.0.113.7', 9), { code: 'EADDRNOTAVAIL' });
    const [one, two] = await Promise.all([
      holdPort('sctp', '127.0.0.1', 9),
      holdPort('sctp', '127.0.0.1', 9),
    ]);
    one.close();
    two.close();
    assert.equal(holderOf('sctp', 9), '');
    assert.equal(holderOf('tcp', 1), '');
  });
});
