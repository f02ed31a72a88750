import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import { isErrno } from './errno.ts';
import { Fd } from './fd.ts';
import {
  acceptSocket,
  openSocket,
  peerName,
  type SocketRequest,
  socketError,
  socketName,
} from './inet-socket.ts';
import { createNetns, deleteNetns } from './namespace.ts';
import { RouteSocket } from './netlink/route-socket.ts';
import { pollFd } from './poll.ts';
import { decodeSocketAddress, encodeSocketAddress } from './socket-address.ts';

let base: string;
let netns: string;
const openFds = () => readdirSync('/proc/self/fd').length;

before(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-sockets-'));
  netns = join(base, 'ns');
  createNetns(netns);
});
after(() => {
  deleteNetns(netns);
  rmSync(base, { recursive: true, force: true });
});

/** Resolves when the socket is ready as asked. */
function ready(socket: Fd, events: { readable?: boolean; writable?: boolean }): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = pollFd(
    socket.fd,
    events,
    () => {
      watch[Symbol.dispose]();
      resolve();
    },
    { keepAlive: true },
  );
  return promise;
}

describe('raw socket addresses', () => {
  it('are as sockaddr_in and sockaddr_in6 lay them out', () => {
    assert.equal(
      encodeSocketAddress({ ip: '192.0.2.1', port: 8080 }).toString('hex'),
      `02001f90c0000201${'00'.repeat(8)}`,
    );
    assert.equal(
      encodeSocketAddress({ ip: 'fe80::1%7', port: 53 }).toString('hex'),
      `0a00003500000000fe80${'00'.repeat(13)}0107000000`,
    );
  });

  it('come back', () => {
    for (const ip of ['0.0.0.0', '127.0.0.1', '::', 'fd00::5', 'fe80::1%3', '::ffff:192.0.2.1']) {
      assert.deepEqual(decodeSocketAddress(encodeSocketAddress({ ip, port: 65535 })), { ip, port: 65535 });
    }
  });

  it('of other families, cut, or of no address are refused', () => {
    const good = encodeSocketAddress({ ip: '::1', port: 1 });
    for (const raw of [Buffer.alloc(0), Buffer.alloc(28), good.subarray(0, 16)])
      assert.throws(() => decodeSocketAddress(raw), { kind: 'invalid' });
    for (const [ip, port] of [
      ['localhost', 1],
      ['', 1],
      ['127.0.0.1', 65536],
      ['127.0.0.1', -1],
      ['127.0.0.1', 1.5],
    ] as const)
      assert.throws(() => encodeSocketAddress({ ip, port }), { kind: 'invalid' });
    assert.throws(() => encodeSocketAddress({ ip: 'fe80::1%none0', port: 1 }), { kind: 'not-found' });
  });
});

for (const [family, loopback] of [
  [4, '127.0.0.1'],
  [6, '::1'],
] as const) {
  describe(`IPv${family} sockets`, () => {
    const bind = { ip: loopback, port: 0 };

    it('accept a connection and tell who made it', async () => {
      using listener = openSocket({ netns, family, type: 'stream', bind, listen: 8 });
      const at = socketName(listener);
      assert.equal(at.ip, loopback);
      assert.ok(at.port > 0);
      assert.equal(acceptSocket(listener), undefined);
      using client = openSocket({ netns, family, type: 'stream', connect: at });
      await ready(listener, { readable: true });
      const accepted = acceptSocket(listener);
      assert.ok(accepted);
      using server = new Fd(accepted.fd);
      assert.deepEqual({ ip: accepted.ip, port: accepted.port }, socketName(client));
      assert.deepEqual(peerName(client), at);
      assert.deepEqual(peerName(server), socketName(client));
      assert.equal(socketError(client), 0);
      assert.equal(acceptSocket(listener), undefined);
    });

    it('say that a port is taken, as a conflict with its errno and address', () => {
      using first = openSocket({ netns, family, type: 'stream', bind, listen: 1 });
      const { port } = socketName(first);
      const again = () =>
        openSocket({ netns, family, type: 'stream', bind: { ip: loopback, port }, listen: 1 });
      assert.throws(
        again,
        (e) => isKind(e, 'conflict') && isErrno(e, 'EADDRINUSE') && /:\d+/.test(String(e)),
      );
      using other = openSocket({ family, type: 'stream', bind: { ip: loopback, port: 0 }, listen: 1 });
      assert.ok(other.fd >= 0);
    });

    it('tell by SO_ERROR that nobody listens, once', async () => {
      const free = openSocket({ netns, family, type: 'stream', bind });
      const connect = socketName(free);
      free.close();
      let client: Fd;
      try {
        client = openSocket({ netns, family, type: 'stream', connect });
      } catch (thrown) {
        assert.ok(isErrno(thrown, 'ECONNREFUSED'));
        return;
      }
      await ready(client, { writable: true });
      assert.equal(socketError(client), constants.errno.ECONNREFUSED);
      assert.equal(socketError(client), 0);
      assert.throws(
        () => peerName(client),
        (e) => isErrno(e, 'ENOTCONN'),
      );
      client.close();
    });

    it('may be bound to what the host does not have: freebind and transparent', () => {
      const foreign = family === 4 ? '192.0.2.77' : '2001:db8::77';
      const request: SocketRequest = { netns, family, type: 'dgram', bind: { ip: foreign, port: 5353 } };
      assert.throws(
        () => openSocket(request),
        (e) => isErrno(e, 'EADDRNOTAVAIL'),
      );
      for (const option of ['freebind', 'transparent'] as const) {
        using socket = openSocket({ ...request, [option]: true });
        assert.deepEqual(socketName(socket), { ip: foreign, port: 5353 });
      }
    });

    it('are routed by the mark they carry', () => {
      using route = RouteSocket.open(netns);
      const to = family === 4 ? '198.51.100.9' : '2001:db8:9::9';
      const rule = { family, mark: 0x40, mask: 0xf0, table: 4000, priority: 90 };
      const local = {
        dst: family === 4 ? '0.0.0.0/0' : '::/0',
        dev: 'lo',
        table: 4000,
        type: 'local',
      } as const;
      route.addRule(rule);
      route.addRoute(local);
      try {
        const connect = { ip: to, port: 9 };
        using marked = openSocket({ netns, family, type: 'dgram', mark: 0x45, bind, connect });
        assert.deepEqual(peerName(marked), connect);
        for (const mark of [undefined, 0x50])
          assert.throws(
            () => openSocket({ netns, family, type: 'dgram', bind, connect, ...(mark && { mark }) }),
            (e) => isErrno(e, 'ENETUNREACH'),
          );
      } finally {
        assert.ok(route.deleteRule(rule) && route.deleteRoute(local));
      }
    });
  });
}

it('both families of one port are apart with v6only, and one without', () => {
  using six = openSocket({
    netns,
    family: 6,
    type: 'stream',
    v6only: true,
    bind: { ip: '::', port: 0 },
    listen: 1,
  });
  const { port } = socketName(six);
  const four: SocketRequest = { netns, family: 4, type: 'stream', bind: { ip: '0.0.0.0', port }, listen: 1 };
  openSocket(four).close();
  six.close();
  using both = openSocket({
    netns,
    family: 6,
    type: 'stream',
    v6only: false,
    bind: { ip: '::', port },
    listen: 1,
  });
  assert.throws(
    () => openSocket(four),
    (e) => isErrno(e, 'EADDRINUSE'),
  );
  assert.ok(both.fd >= 0);
});

it('an IPv4 client of a socket for both families is seen as a mapped address', async () => {
  using both = openSocket({
    netns,
    family: 6,
    type: 'stream',
    v6only: false,
    bind: { ip: '::', port: 0 },
    listen: 1,
  });
  const connect = { ip: '127.0.0.1', port: socketName(both).port };
  using client = openSocket({ netns, family: 4, type: 'stream', connect });
  await ready(both, { readable: true });
  const accepted = acceptSocket(both);
  assert.ok(accepted);
  new Fd(accepted.fd).close();
  assert.deepEqual([accepted.ip, accepted.port], ['::ffff:127.0.0.1', socketName(client).port]);
});

it('reuseAddress takes a port again whose connections still linger', async () => {
  const bind = { ip: '127.0.0.1', port: 0 };
  const listener = openSocket({ netns, family: 4, type: 'stream', bind, listen: 1, reuseAddress: true });
  const at = socketName(listener);
  using client = openSocket({ netns, family: 4, type: 'stream', connect: at });
  await ready(listener, { readable: true });
  new Fd(acceptSocket(listener)?.fd as number).close(); // the side that closes first lingers
  listener.close();
  assert.ok(client.fd >= 0);
  const again: SocketRequest = { netns, family: 4, type: 'stream', bind: at, listen: 1 };
  assert.throws(
    () => openSocket(again),
    (e) => isErrno(e, 'EADDRINUSE'),
  );
  openSocket({ ...again, reuseAddress: true }).close();
});

it('an SCTP association is made, or a clear answer where the kernel has none', async (t) => {
  const bind = { ip: '127.0.0.1', port: 0 };
  let listener: Fd;
  try {
    listener = openSocket({ netns, family: 4, type: 'sctp', bind, listen: 1 });
  } catch (thrown) {
    assert.ok(isKind(thrown, 'not-implemented') && isErrno(thrown, 'EPROTONOSUPPORT'), String(thrown));
    return t.skip(`this kernel has no SCTP sockets: ${String(thrown)}`);
  }
  using client = openSocket({ netns, family: 4, type: 'sctp', connect: socketName(listener) });
  await ready(listener, { readable: true });
  const accepted = acceptSocket(listener);
  new Fd(accepted?.fd as number).close();
  assert.equal(accepted?.port, socketName(client).port);
  assert.equal(socketError(client), 0);
  listener.close();
});

it('a refusal at any step keeps no descriptor', () => {
  const cases: SocketRequest[] = [
    { family: 4, type: 'stream', bind: { ip: 'nonsense', port: 1 } },
    { family: 4, type: 'stream', bind: { ip: '192.0.2.1', port: 1 } },
    { family: 4, type: 'stream', bind: { ip: '::1', port: 1 } },
    { family: 4, type: 'dgram', listen: 1 },
    { family: 4, type: 'dgram', netns: join(base, 'ns'), connect: { ip: '203.0.113.1', port: 1 } },
    { family: 4, type: 'dgram', netns: join(base, 'none') },
  ];
  for (const request of cases) assert.throws(() => openSocket(request), JSON.stringify(request));
  const home = openFds();
  for (const request of cases) assert.throws(() => openSocket(request));
  for (const call of [socketName, peerName, socketError, acceptSocket])
    assert.throws(
      () => call(-1),
      (e) => isErrno(e, 'EBADF'),
    );
  assert.equal(openFds(), home);
});
