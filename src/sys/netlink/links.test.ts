import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { isKind, WharfError } from '../../base/index.ts';
import { receiveDatagrams, sendDatagrams } from '../datagrams.ts';
import { isErrno } from '../errno.ts';
import { type Fd, O } from '../fd.ts';
import { openSocket } from '../inet-socket.ts';
import { createNetns, deleteNetns } from '../namespace.ts';
import { openat2 } from '../openat2.ts';
import { pollFd } from '../poll.ts';
import { encodeSocketAddress } from '../socket-address.ts';
import type { Ipvlan, Macvlan } from './link-message.ts';
import { RouteSocket } from './route-socket.ts';

// Namespaces of the test's own: a host and three neighbours. Packets are UDP datagrams.
const PORT = 4242;
const names = ['host', 'a', 'b', 'c'] as const;
type Name = (typeof names)[number];

let base: string;
let route: Record<Name, RouteSocket>;
const pin = (name: Name) => join(base, name);

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-links-'));
  const opened = names.map((name) => {
    createNetns(pin(name));
    return [name, RouteSocket.open(pin(name))] as const;
  });
  route = Object.fromEntries(opened) as typeof route;
});
afterEach(() => {
  for (const name of names) {
    route[name].close();
    deleteNetns(pin(name));
  }
  rmSync(base, { recursive: true, force: true });
});

/** A veth from the host, `name`, to `eth0` of a neighbour, which gets `10.7.0.<last>` and `fd07::<last>`. */
function plug(name: Name, last: number, options: { addresses?: boolean } = {}): void {
  using peerNetns = openat2('/', pin(name), { flags: O.RDONLY });
  route.host.addVethPair({ name, peerName: 'eth0', peerNetns });
  route.host.setUp(name);
  route[name].setUp('eth0');
  if (options.addresses !== false) address(name, last);
}

function address(name: Name, last: number): void {
  route[name].addAddress('eth0', `10.7.0.${last}/24`);
  route[name].addAddress('eth0', `fd07::${last}/64`);
}

/** Resolves when something has come, or in vain after the time given. */
function arrival(socket: Fd, withinMs?: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const events = { readable: true };
  const watch = pollFd(socket.fd, events, () => resolve(), { keepAlive: true });
  const timer = withinMs === undefined ? undefined : setTimeout(() => resolve(), withinMs);
  return promise.finally(() => {
    watch[Symbol.dispose]();
    clearTimeout(timer);
  });
}

const listenIn = (name: Name) =>
  openSocket({ netns: pin(name), family: 6, type: 'dgram', v6only: false, bind: { ip: '::', port: PORT } });

/** Sends one datagram from a namespace to an address, from the `fd07` address where it is IPv6. */
function send(from: Name, to: string, source?: string): void {
  const family = to.includes(':') ? 6 : 4;
  const bind = source === undefined ? {} : { bind: { ip: source, port: 0 } };
  using socket = openSocket({ netns: pin(from), family, type: 'dgram', ...bind });
  const scope = to.startsWith('ff') ? `%${route[from].link('eth0')?.index}` : '';
  const peer = encodeSocketAddress({ ip: to + scope, port: PORT });
  sendDatagrams(socket, [{ data: Buffer.from(from), peer }]);
}

/** Which of the listeners a datagram from `a` to all nodes of the link reaches; `sure` is known to be among them. */
async function reachedByAll(
  source: string,
  listeners: Partial<Record<Name, Fd>>,
  sure: Fd,
): Promise<string[]> {
  const arrived = arrival(sure);
  send('a', 'ff02::1', source);
  await arrived;
  await pause(30);
  return Object.entries(listeners)
    .filter(([, socket]) => receiveDatagrams(socket, () => {}) > 0)
    .map(([name]) => name);
}

describe('isolated ports of a bridge', () => {
  it('reach the others and the bridge, but not each other', async () => {
    route.host.addBridge('br0');
    route.host.setUp('br0');
    route.host.addAddress('br0', 'fd07::99/64');
    for (const [at, name] of (['a', 'b', 'c'] as const).entries()) {
      plug(name, at + 1);
      route.host.setMaster(name, 'br0');
    }
    using b = listenIn('b');
    using c = listenIn('c');
    using host = listenIn('host');
    const listeners = { b, c, host };
    assert.deepEqual(await reachedByAll('fd07::1', listeners, c), ['b', 'c', 'host']);
    route.host.setIsolated('a', true);
    assert.deepEqual(await reachedByAll('fd07::1', listeners, c), ['b', 'c', 'host']);
    route.host.setIsolated('b', true);
    assert.deepEqual(await reachedByAll('fd07::1', listeners, c), ['c', 'host']);
    route.host.setIsolated('b', false);
    assert.deepEqual(await reachedByAll('fd07::1', listeners, c), ['b', 'c', 'host']);
  });

  it('are ports: another link is refused', () => {
    route.host.addBridge('br0');
    assert.throws(() => route.host.setIsolated('br0', true), WharfError);
    assert.throws(
      () => route.host.setIsolated('none', true),
      (e) => isKind(e, 'not-found'),
    );
  });
});

describe('macvlan', () => {
  const add = (name: Name, mode: Macvlan['mode'], more: Partial<Macvlan> = {}) => {
    using netns = openat2('/', pin(name), { flags: O.RDONLY });
    route.host.addMacvlan({ name: 'eth0', parent: 'c', mode, netns, ...more });
    route[name].setUp('eth0');
  };

  it('is made in its namespace with mac and mtu, and reaches the wire in both families', async () => {
    plug('c', 3);
    add('a', 'bridge', { mac: '02:00:00:00:00:0a', mtu: 1400 });
    address('a', 1);
    const link = route.a.link('eth0');
    assert.deepEqual(
      [link?.kind, link?.mac, link?.mtu, link?.parentIndex],
      ['macvlan', '02:00:00:00:00:0a', 1400, route.host.link('c')?.index],
    );
    assert.equal(route.host.link('eth0'), undefined);
    using c = listenIn('c');
    for (const to of ['10.7.0.3', 'fd07::3']) {
      const arrived = arrival(c);
      send('a', to);
      await arrived;
      assert.equal(
        receiveDatagrams(c, (data) => assert.equal(data.toString(), 'a')),
        1,
      );
    }
  });

  for (const [mode, siblings] of [
    ['bridge', ['b', 'c']],
    ['private', ['c']],
  ] as const) {
    it(`of mode ${mode} reaches ${siblings.join(' and ')}`, async () => {
      plug('c', 3);
      add('a', mode);
      add('b', mode);
      address('a', 1);
      address('b', 2);
      using b = listenIn('b');
      using c = listenIn('c');
      assert.deepEqual(await reachedByAll('fd07::1', { b, c }, c), siblings);
    });
  }

  it('goes with its parent', () => {
    plug('c', 3);
    add('a', 'bridge');
    route.host.deleteLink('c');
    assert.equal(route.a.link('eth0'), undefined);
  });

  it('is refused where its parent is missing or a port of a bridge', () => {
    using netns = openat2('/', pin('a'), { flags: O.RDONLY });
    const attempt = () => route.host.addMacvlan({ name: 'eth0', parent: 'c', mode: 'bridge', netns });
    assert.throws(attempt, (e) => isKind(e, 'not-found'));
    plug('c', 3);
    route.host.addBridge('br0');
    route.host.setMaster('c', 'br0');
    assert.throws(attempt, (e) => isKind(e, 'conflict') && isErrno(e, 'EBUSY'));
    assert.equal(route.a.link('eth0'), undefined);
  });
});

/** Makes a link of a kind that a kernel may lack; false when it does, after a look at how that is said, and then the test is skipped. */
function made(kind: string, make: () => void, t: TestContext): boolean {
  const home = readdirSync('/proc/self/fd').length;
  try {
    make();
    return true;
  } catch (thrown) {
    assert.ok(isKind(thrown, 'not-implemented') && isErrno(thrown, 'ENOTSUP', 'EOPNOTSUPP'), String(thrown));
    assert.match(String(thrown), new RegExp(`add ${kind} \\w+: .*the kernel may lack the module ${kind}`));
    assert.equal(readdirSync('/proc/self/fd').length, home);
    t.skip(`this kernel has no ${kind}: ${String(thrown)}`);
    return false;
  }
}

describe('ipvlan, where the kernel has it', () => {
  const add = (name: Name, mode: Ipvlan['mode'], flag?: Ipvlan['flag']) => {
    using netns = openat2('/', pin(name), { flags: O.RDONLY });
    route.host.addIpvlan({ name: 'eth0', parent: 'c', mode, netns, mtu: 1400, ...(flag && { flag }) });
    route[name].setUp('eth0');
  };

  it('l2 shares the hardware address of its parent and reaches the wire in both families', async (t) => {
    plug('c', 3);
    if (!made('ipvlan', () => add('a', 'l2'), t)) return;
    address('a', 1);
    const [link, parent] = [route.a.link('eth0'), route.host.link('c')];
    assert.deepEqual(
      [link?.kind, link?.mac, link?.mtu, link?.parentIndex],
      ['ipvlan', parent?.mac, 1400, parent?.index],
    );
    using c = listenIn('c');
    for (const to of ['10.7.0.3', 'fd07::3']) {
      const arrived = arrival(c);
      send('a', to);
      await arrived;
      assert.equal(
        receiveDatagrams(c, () => {}),
        1,
      );
    }
  });

  for (const [flag, siblings] of [
    ['bridge', ['b', 'c']],
    ['private', ['c']],
  ] as const) {
    it(`l2 with the flag ${flag} reaches ${siblings.join(' and ')}`, async (t) => {
      plug('c', 3);
      if (!made('ipvlan', () => add('a', 'l2', flag), t)) return;
      add('b', 'l2', flag);
      address('a', 1);
      address('b', 2);
      using b = listenIn('b');
      using c = listenIn('c');
      const reached: string[] = [];
      for (const [name, socket, last] of [
        ['c', c, 3],
        ['b', b, 2],
      ] as const) {
        const arrived = arrival(socket, 500);
        send('a', `10.7.0.${last}`);
        await arrived;
        if (receiveDatagrams(socket, () => {}) > 0) reached.push(name);
      }
      assert.deepEqual(reached.sort(), siblings);
    });
  }

  for (const mode of ['l3', 'l3s'] as const) {
    it(`${mode} is reached by a route through the host, from other subnets, without ARP`, async (t) => {
      plug('c', 3);
      route.host.addAddress('c', '10.7.0.99/24');
      if (!made('ipvlan', () => add('a', mode), t)) return;
      add('b', mode);
      route.a.addAddress('eth0', '10.8.0.1/32');
      route.b.addAddress('eth0', '10.9.0.2/32');
      for (const name of ['a', 'b'] as const) route[name].replaceDefaultRoute({ family: 4, dev: 'eth0' });
      route.c.addRoute({ dst: '10.8.0.0/15', gateway: '10.7.0.99' });
      using b = listenIn('b');
      for (const from of ['a', 'c'] as const) {
        const arrived = arrival(b);
        send(from, '10.9.0.2');
        await arrived;
        assert.equal(
          receiveDatagrams(b, (data) => assert.equal(data.toString(), from)),
          1,
        );
      }
    });
  }
});

describe('other kinds that a kernel may lack', () => {
  it('a VLAN reaches the one with its tag', async (t) => {
    plug('c', 3);
    if (!made('vlan', () => route.host.addVlan({ name: 'tag7', parent: 'c', id: 7 }), t)) return;
    route.c.addVlan({ name: 'tag7', parent: 'eth0', id: 7 });
    for (const [name, last] of [
      ['host', 1],
      ['c', 2],
    ] as const) {
      route[name].setUp('tag7');
      route[name].addAddress('tag7', `10.17.0.${last}/24`);
    }
    assert.equal(route.host.link('tag7')?.parentIndex, route.host.link('c')?.index);
    using c = listenIn('c');
    const arrived = arrival(c);
    send('host', '10.17.0.2');
    await arrived;
  });

  it('a dummy is made, and takes addresses', (t) => {
    if (!made('dummy', () => route.host.addDummy('none0'), t)) return;
    route.host.setUp('none0');
    route.host.addAddress('none0', '10.18.0.1/24');
    assert.equal(route.host.link('none0')?.kind, 'dummy');
  });
});

describe('links', () => {
  it('are renamed, by name and by index, and a name in use is a conflict', () => {
    plug('a', 1);
    const index = route.host.link('a')?.index as number;
    route.host.setDown('a');
    route.host.renameLink('a', 'other');
    assert.equal(route.host.link('other')?.index, index);
    route.host.renameLink(index, 'third');
    assert.equal(route.host.link('other'), undefined);
    route.host.addBridge('br0');
    assert.throws(
      () => route.host.renameLink('third', 'br0'),
      (e) => isKind(e, 'conflict'),
    );
    assert.throws(
      () => route.host.renameLink('third', ''),
      (e) => isKind(e, 'invalid'),
    );
    assert.throws(
      () => route.host.renameLink('none', 'x'),
      (e) => isKind(e, 'not-found'),
    );
  });

  it('go down and lose their routes', () => {
    plug('a', 1);
    route.a.addRoute({ dst: '10.8.0.0/24', gateway: '10.7.0.9' });
    route.a.setDown('eth0');
    assert.equal(route.a.link('eth0')?.up, false);
    assert.ok(!route.a.routes().some(({ dst }) => dst === '10.8.0.0/24'));
  });
});
