// Run by carried.test.ts in a network namespace of its own, which stands for the host.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, silentLog } from '../../base/index.ts';
import { createNetns, deleteNetns, openSocket, RouteSocket, runNft, withNetns } from '../../sys/index.ts';
import type { PortRequest } from '../types.ts';
import type { CarryLimits, HeldPort, Place } from './held-port.ts';
import { hostHold } from './host-hold.ts';
import { openPorts } from './ports.ts';
import { SourceKeeper } from './source-keeper.ts';
import type { PortOwner } from './types.ts';

const dir = mkdtempSync(join(tmpdir(), 'wharf-carried-'));
const pins = { web: join(dir, 'web'), good: join(dir, 'good'), bad: join(dir, 'bad') };
const servers: (Server | Datagrams)[] = [];
const warnings: string[] = [];
/** Bytes that the server of endless data got rid of. */
let flooded = 0;
const log: Logger = { ...silentLog, warn: (message) => void warnings.push(message) };
const ports = openPorts({ log, obeyTable: 'wharf-carried' });

const owner = (more: Partial<PortOwner> = {}): PortOwner => ({
  containerId: 'web',
  name: 'web',
  endpointId: 'e',
  ipv4: '10.77.0.2',
  ipv6: 'fd77::2',
  policy: 'open',
  hostBinding: '',
  netnsPath: pins.web,
  ...more,
});
const ask = (hostPort: number, more: Partial<PortRequest> = {}): PortRequest => ({
  protocol: 'tcp',
  containerPort: 80,
  hostIp: '',
  hostPort,
  ...more,
});

/** A bridge with namespaces plugged in, addresses 1 for the host, and a default route inside. */
function makeNetwork(bridge: string, prefixes: [string, string], plugged: [string, number][]): void {
  using host = RouteSocket.open();
  host.addBridge(bridge);
  host.addAddress(bridge, `${prefixes[0]}1/24`);
  host.addAddress(bridge, `${prefixes[1]}1/64`);
  host.setUp(bridge);
  for (const [pin, number] of plugged) {
    createNetns(pin);
    const name = `${bridge}-${number}`;
    execFileSync('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pin]);
    host.setMaster(name, bridge);
    host.setUp(name);
    using inside = RouteSocket.open(pin);
    inside.addAddress('eth0', `${prefixes[0]}${number}/24`);
    inside.addAddress('eth0', `${prefixes[1]}${number}/64`);
    inside.setUp('eth0');
    inside.addRoute({ gateway: `${prefixes[0]}1` });
    inside.addRoute({ gateway: `${prefixes[1]}1` });
  }
}

/** Servers inside that say whom they see: TCP when a line ends, UDP at once. */
async function serve(): Promise<void> {
  const tcp = createServer({ allowHalfOpen: true }, (socket) => {
    let heard = 0;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      heard += chunk.length;
    });
    socket.on('end', () => socket.end(`${socket.remoteAddress?.replace('::ffff:', '')} ${heard}\n`));
  });
  const echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  const flood = createServer((socket) => {
    const fill = () => {
      while (socket.writable && socket.write(Buffer.alloc(65_536))) flooded += 65_536;
    };
    socket.on('error', () => {}).on('drain', fill);
    fill();
  });
  const udp = createSocket('udp6');
  udp.on('message', (_data, from) =>
    udp.send(`${from.address.replace('::ffff:', '')}`, from.port, from.address),
  );
  withNetns(pins.web, () => {
    tcp.listen(80);
    echo.listen(81);
    flood.listen(82);
    // Node tells of the listening on a descriptor before it returns.
    udp.bind({ fd: openSocket({ family: 6, type: 'dgram', bind: { ip: '::', port: 80 } }).fd });
  });
  servers.push(tcp, echo, flood, udp);
  await Promise.all([tcp, echo, flood].map((server) => once(server, 'listening')));
}

/** What a TCP client in a namespace reads after it sent a line and closed its half; empty when it gets no connection. */
async function fetchFrom(pin: string | undefined, ip: string, port: number): Promise<string> {
  const family = ip.includes(':') ? 6 : 4;
  const fd = openSocket({ family, type: 'stream', connect: { ip, port }, ...(pin ? { netns: pin } : {}) });
  const socket = new Socket({ fd: fd.fd, allowHalfOpen: true });
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk;
  });
  socket.on('error', () => {});
  socket.setTimeout(1500, () => socket.destroy());
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.end('hello\n');
  await closed;
  return heard.trim();
}

/** What a UDP client hears within a second. */
async function askFrom(pin: string | undefined, ip: string, port: number): Promise<string> {
  const family = ip.includes(':') ? 6 : 4;
  const fd = openSocket({
    family,
    type: 'dgram',
    bind: { ip: family === 6 ? '::' : '0.0.0.0', port: 0 },
    ...(pin ? { netns: pin } : {}),
  });
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  socket.bind({ fd: fd.fd });
  socket.send('hello', port, ip);
  const answer = await Promise.race([once(socket, 'message'), sleep(1000, [])]);
  socket.close();
  return String(answer[0] ?? '');
}

const ruleset = () => execFileSync('nft', ['list', 'ruleset']).toString();
/** Policy rules, and the routes that no link brings by itself. */
const rules = () =>
  execFileSync('sh', [
    '-c',
    '(ip rule; ip -6 rule; ip route show table all; ip -6 route show table all) | grep -v "fe80\\|multicast"',
  ]).toString();

/** Waits for something to become true, for two seconds at most. */
async function until(true_: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !true_(); tries++) {
    assert.ok(tries < 200, what);
    await sleep(10);
  }
}

/** One held port with limits of its own, on the loopback. */
function heldAlone(
  place: Partial<Place>,
  to: { ip?: string; port?: number },
  limits: Partial<CarryLimits>,
): HeldPort {
  const hold = hostHold({
    log,
    limits,
    sources: new SourceKeeper({ log, table: 'wharf-alone' }),
    refuses: () => false,
  });
  const destination = { ip: '10.77.0.2', port: 80, keepSource: false, ...to };
  return hold({ protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 9000, ...place }, destination);
}

const descriptors = () => readdirSync('/proc/self/fd').length;

let clean: string;

before(async () => {
  using host = RouteSocket.open();
  host.setUp('lo');
  execFileSync('sh', [
    '-c',
    'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
  ]);
  makeNetwork('wcb', ['10.77.0.', 'fd77::'], [[pins.web, 2]]);
  makeNetwork(
    'lan',
    ['192.0.2.', '2001:db8::'],
    [
      [pins.good, 8],
      [pins.bad, 9],
    ],
  );
  await serve();
  clean = rules();
  runNft(`table inet host {
    chain input { type filter hook input priority filter; policy drop;
      ct state established,related accept
      iifname "lo" accept
      meta l4proto ipv6-icmp accept
      ip saddr 192.0.2.8 accept
      ip6 saddr 2001:db8::8 accept
      iifname "wcb" accept
    }
    chain output { type filter hook output priority filter; policy accept; }
  }\n`);
});

after(() => {
  ports.releaseAll();
  for (const server of servers) server.close();
  for (const pin of Object.values(pins)) deleteNetns(pin);
  rmSync(dir, { recursive: true });
});

describe('held ports', () => {
  it('carry ::1, and what the kernel did not translate, for a container with IPv6', async () => {
    const made = await ports.reserve([ask(8080), ask(8080, { protocol: 'udp' })], owner());
    assert.equal(await fetchFrom(undefined, '::1', 8080), 'fd77::1 6');
    assert.equal(await fetchFrom(undefined, '127.0.0.1', 8080), '10.77.0.1 6');
    assert.equal(await askFrom(undefined, '::1', 8080), 'fd77::1');
    assert.equal(await askFrom(undefined, '127.0.0.1', 8080), '10.77.0.1');
    ports.release(made);
    assert.equal(await fetchFrom(undefined, '::1', 8080), '');
  });

  it('carry IPv6 clients of a container without IPv6, as its gateway', async () => {
    const made = await ports.reserve([ask(8080), ask(8080, { protocol: 'udp' })], owner({ ipv6: '' }));
    assert.equal(await fetchFrom(undefined, '::1', 8080), '10.77.0.1 6');
    assert.equal(await fetchFrom(pins.good, '2001:db8::1', 8080), '10.77.0.1 6');
    assert.equal(await askFrom(pins.good, '2001:db8::1', 8080), '10.77.0.1');
    ports.release(made);
  });

  it('obey the host’s input rules, and keep the addresses of clients', async () => {
    const made = await ports.reserve([ask(8080), ask(8080, { protocol: 'udp' })], owner({ policy: 'obey' }));
    for (const [host, good] of [
      ['192.0.2.1', '192.0.2.8'],
      ['2001:db8::1', '2001:db8::8'],
    ] as const) {
      assert.equal(await fetchFrom(pins.good, host, 8080), `${good} 6`);
      assert.equal(await askFrom(pins.good, host, 8080), good);
      assert.equal(await fetchFrom(pins.bad, host, 8080), '');
      assert.equal(await askFrom(pins.bad, host, 8080), '');
    }
    assert.equal(
      await fetchFrom(undefined, '192.0.2.1', 8080),
      '10.77.0.1 6',
      'the host itself is the gateway',
    );
    assert.equal(await fetchFrom(undefined, '::1', 8080), 'fd77::1 6');
    ports.release(made);
  });

  it('take no address of a neighbour on the container’s own network, which would be answered past the host', async () => {
    const made = await ports.reserve([ask(8080)], owner({ policy: 'obey' }));
    assert.equal(await fetchFrom(pins.web, '192.0.2.1', 8080), '10.77.0.1 6');
    assert.equal(await fetchFrom(pins.web, 'fd77::1', 8080), 'fd77::1 6');
    ports.release(made);
  });

  it('keep addresses under strict filters of sources', async () => {
    const made = await ports.reserve([ask(8080)], owner({ policy: 'obey' }));
    execFileSync('sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter']);
    assert.equal(await fetchFrom(pins.good, '192.0.2.1', 8080), '192.0.2.8 6');
    execFileSync('sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/conf/all/src_valid_mark']);
    assert.equal(await fetchFrom(pins.good, '192.0.2.1', 8080), '192.0.2.8 6');
    ports.release(made);
  });

  it('need no rule of ours when the last obeyed one is gone, or when a killed daemon left it', async () => {
    assert.equal(rules(), clean);
    assert.doesNotMatch(ruleset(), /wharf-carried/);
    const killed = openPorts({ log, obeyTable: 'wharf-killed' });
    const made = await killed.reserve([ask(8081)], owner({ policy: 'obey' }));
    assert.notEqual(rules(), clean);
    openPorts({ log, obeyTable: 'wharf-killed' });
    assert.equal(rules(), clean);
    assert.doesNotMatch(ruleset(), /wharf-killed/);
    killed.release(made);
    assert.deepEqual(warnings, []);
  });

  it('have their rule again within a second of a flush', async () => {
    const made = await ports.reserve([ask(8080)], owner({ policy: 'obey' }));
    const before = ruleset();
    execFileSync('nft', ['flush', 'ruleset']);
    await until(() => ruleset().includes('wharf-carried'), 'the table comes back');
    assert.equal(await fetchFrom(pins.bad, '192.0.2.1', 8080), '192.0.2.9 6', 'nothing is dropped any more');
    ports.release(made);
    runNft(before.slice(0, before.indexOf('table inet wharf-carried')));
  });

  it('of SCTP are taken by the table where the kernel has no sockets for them', async () => {
    const sctp = ask(8080, { protocol: 'sctp' });
    const made = await ports.reserve([sctp], owner());
    assert.equal(made.length, 2);
    const other = owner({ containerId: 'x' });
    await assert.rejects(ports.reserve([sctp], other), /port is already allocated \(by container web\)/);
    ports.release(made);
    ports.release(await ports.reserve([sctp], other));
  });

  it('follow their container to another address', async () => {
    const made = await ports.reserve([ask(8080)], owner({ ipv6: '' }));
    assert.equal(await fetchFrom(undefined, '::1', 8080), '10.77.0.1 6');
    ports.retarget(made, owner());
    assert.equal(await fetchFrom(undefined, '::1', 8080), 'fd77::1 6');
    ports.release(made);
  });
});

describe('carried connections', () => {
  it('bring megabytes both ways as they were', async () => {
    using _held = closing(heldAlone({}, { port: 81 }, {}));
    const sent = randomBytes(8 << 20);
    const socket = connect({ host: '127.0.0.1', port: 9000 });
    socket.end(sent);
    const got = await buffer(socket);
    assert.ok(got.equals(sent));
  });

  it('hold a fast container back when the client does not read', async () => {
    using _held = closing(heldAlone({}, { port: 82 }, {}));
    const socket = connect({ host: '127.0.0.1', port: 9000 }).pause();
    await until(() => flooded > 65_536, 'it sends');
    await sleep(300);
    const then = flooded;
    await sleep(200);
    assert.equal(flooded, then, 'it stopped');
    assert.ok(flooded < 64 << 20, `${flooded} bytes`);
    socket.destroy();
  });

  it('are reset when nobody listens in the container, or it does not answer', async () => {
    for (const [to, code] of [
      [{ port: 99 }, 'ECONNRESET'],
      [{ ip: '10.77.0.77' }, 'ECONNRESET'],
    ] as const) {
      using _held = closing(heldAlone({}, to, { connectMs: 100 }));
      const socket = connect({ host: '127.0.0.1', port: 9000 });
      const [failed] = await once(socket, 'error');
      assert.equal(failed.code, code);
    }
  });

  it('end with their port, and leave no descriptor', async () => {
    const before = descriptors();
    const held = heldAlone({}, { port: 81 }, {});
    const sockets = Array.from({ length: 20 }, () => connect({ host: '127.0.0.1', port: 9000 }));
    await Promise.all(sockets.map(firstByte));
    const errors = Promise.all(sockets.map((socket) => once(socket, 'error')));
    held.close();
    held.close();
    for (const [error] of await errors) assert.equal(error.code, 'ECONNRESET');
    await until(() => descriptors() <= before, 'all are closed');
  });

  it('wait where a port has as many as it may', async () => {
    using _held = closing(heldAlone({}, { port: 81 }, { perPort: 2 }));
    const sockets = Array.from({ length: 3 }, () =>
      connect({ host: '127.0.0.1', port: 9000 }).on('error', () => {}),
    );
    const answered: number[] = [];
    for (const [at, socket] of sockets.entries()) {
      socket.on('data', () => void answered.push(at));
      socket.write('x');
    }
    await until(() => answered.length === 2, 'two are served');
    await sleep(300);
    assert.equal(answered.length, 2);
    sockets[answered[0] ?? 0]?.destroy();
    await until(() => answered.length === 3, 'the third has its turn');
    for (const socket of sockets) socket.destroy();
  });

  it('of UDP are bounded, and end when they are silent', async () => {
    const before = descriptors();
    const held = heldAlone({ protocol: 'udp' }, {}, { perPort: 4, idleMs: 90 });
    for (let client = 0; client < 10; client++)
      assert.equal(await askFrom(undefined, '127.0.0.1', 9000), '10.77.0.1');
    assert.ok(descriptors() <= before + 6, 'the clients are closed, four sessions are left');
    await until(() => descriptors() <= before + 1, 'sessions end');
    assert.equal(await askFrom(undefined, '127.0.0.1', 9000), '10.77.0.1');
    held.close();
    await until(() => descriptors() <= before, 'nothing is left');
  });
});

describe('five thousand ports', () => {
  it('are held and given back, and nothing is left', async () => {
    const many = Array.from({ length: 5000 }, (_, at) =>
      ask(20_000 + at, { protocol: at % 5 ? 'tcp' : 'udp' }),
    );
    const before = descriptors();
    for (let round = 0; round < 2; round++) {
      const made = await ports.reserve(many, owner());
      assert.equal(made.length, 10_000);
      await assert.rejects(ports.reserve([ask(24_999)], owner({ containerId: 'x' })), { kind: 'conflict' });
      await sleep(100);
      assert.ok(descriptors() >= before + 10_000);
      ports.release(made);
      assert.equal(descriptors(), before);
    }
  });
});

function firstByte(socket: Socket): Promise<unknown> {
  socket.write('x');
  return once(socket, 'data');
}

function closing(held: HeldPort): Disposable {
  return { [Symbol.dispose]: () => held.close() };
}
