import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { eventually, execute, needsOwnDaemon } from './support/index.ts';
import { useLab } from './support/lab.ts';

/** A server that tells each client, of TCP and of UDP and of either family, which address it sees. */
const TELL = `
import socket, sys, threading
port = int(sys.argv[1])
def address(peer): return peer[0].removeprefix('::ffff:').encode()
def udp():
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(('::', port))
    while True:
        _, peer = s.recvfrom(2048); s.sendto(address(peer), peer)
threading.Thread(target=udp, daemon=True).start()
s = socket.socket(socket.AF_INET6); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('::', port)); s.listen(); print('ready', flush=True)
while True:
    c, peer = s.accept(); c.sendall(address(peer)); c.close()
`;
/** What one hears from such a server; nothing within a second and a half. */
const HEAR = `
import socket, sys
kind, host, port, source = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
family = socket.AF_INET6 if ':' in host else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
s.settimeout(1.5)
if source: s.bind(('', source))
try:
    s.connect((host, port))
    if kind == 'udp': s.send(b'hello')
    print(s.recv(100).decode())
except OSError: print()
`;
/** Sends an SCTP INIT by a raw socket, or waits for one and says to which port it came and from where. */
const SCTP = `
import socket, struct, sys
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8): crc = (crc >> 1) ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 132)
if sys.argv[1] == 'send':
    chunk = struct.pack('!BBHIIHHI', 1, 0, 20, 0x1234, 65536, 1, 1, 7)
    head = struct.pack('!HHI', 40000, int(sys.argv[3]), 0)
    sum = struct.pack('<I', crc32c(head + bytes(4) + chunk))
    s.sendto(head + sum + chunk, (sys.argv[2], 0))
else:
    s.settimeout(20); print('ready', flush=True)
    data, peer = s.recvfrom(2048)
    print(struct.unpack('!HH', data[20:24])[1], peer[0])
`;

describe('published ports', { skip: needsOwnDaemon }, () => {
  const { lab, engine, onHost } = useLab();
  const host6 = '2001:db8:77::1';
  const neighbour6 = '2001:db8:77::2';
  const servers: ChildProcess[] = [];

  before(async () => {
    for (const [name, address] of [
      [lab.host, host6],
      [lab.neighbour, neighbour6],
    ] as const)
      await execute('ip', ['-n', name, 'addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad']);
    const ping = ['netns', 'exec', lab.neighbour, 'busybox', 'ping', '-c', '1', '-W', '1', host6];
    await eventually(
      () => execute('ip', ping),
      ({ code }) => code === 0,
      'the neighbours speak IPv6',
    );
    await engine.ok('network', 'create', '--ipv6', '--subnet', 'fd00:77::/64', 'dual');
    await engine.ok('network', 'create', '--ipv4=false', '--ipv6', '--subnet', 'fd00:78::/64', 'six');
  });
  after(() => {
    for (const server of servers) server.kill();
  });

  const pythonIn = async (netns: string, ...args: string[]): Promise<string> => {
    const { stdout } = await execute('nsenter', [`--net=${netns}`, 'python3', '-c', ...args]);
    return stdout.trim();
  };
  const netnsOf = async (name: string) => `/proc/${await engine.inspect(name, '{{.State.Pid}}')}/ns/net`;
  const places = { neighbour: `/run/netns/${lab.neighbour}`, host: `/run/netns/${lab.host}` };

  /** Starts a program in a container's network and waits until it is ready. */
  async function serve(name: string, ...args: string[]): Promise<ChildProcess> {
    const argv = [`--net=${await netnsOf(name)}`, 'python3', '-c', ...args];
    const server = spawn('nsenter', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    servers.push(server);
    await once(server.stdout, 'data');
    return server;
  }
  /** A container that tells its clients their addresses at port 80. */
  async function telling(name: string, ...options: string[]): Promise<void> {
    await engine.ok('run', '-d', '--name', name, ...options, 'busybox', 'sleep', '600');
    await serve(name, TELL, '80');
  }
  const hear = (netns: string, host: string, port: number, kind: 'tcp' | 'udp' = 'tcp', source = 0) =>
    pythonIn(netns, HEAR, kind, host, String(port), String(source));
  const addressIn = (name: string, network: string, field = 'IPAddress') =>
    engine.inspect(name, `{{(index .NetworkSettings.Networks "${network}").${field}}}`);

  it('answer on both families, TCP and UDP, from loopback, the host and its neighbours, whose addresses are kept', async () => {
    await telling('both', '--network', 'dual', '-p', '8080:80', '-p', '8080:80/udp');
    for (const kind of ['tcp', 'udp'] as const) {
      assert.equal(await hear(places.neighbour, lab.hostAddress, 8080, kind), lab.neighbourAddress);
      assert.equal(await hear(places.neighbour, host6, 8080, kind), neighbour6);
      for (const address of ['127.0.0.1', '::1', lab.hostAddress, host6])
        assert.notEqual(await hear(places.host, address, 8080, kind), '', `${kind} ${address}`);
    }
    await engine.ok('rm', '-f', 'both');
    for (const address of ['127.0.0.1', '::1', lab.hostAddress, host6])
      assert.equal(await hear(places.host, address, 8080), '', `${address} is free again`);
  });

  it('of a container without IPv6 answer IPv6 clients, of one without IPv4 only those', async () => {
    await telling('four', '-p', '8080:80', '-p', '8080:80/udp');
    const gateway = await engine.inspect('four', '{{.NetworkSettings.Gateway}}');
    for (const kind of ['tcp', 'udp'] as const) {
      assert.equal(await hear(places.neighbour, host6, 8080, kind), gateway);
      assert.equal(await hear(places.host, '::1', 8080, kind), gateway);
    }
    await engine.ok('rm', '-f', 'four');
    await telling('sixes', '--network', 'six', '-p', '8080:80');
    assert.equal(await engine.ok('port', 'sixes'), '80/tcp -> [::]:8080');
    assert.equal(await hear(places.neighbour, host6, 8080), neighbour6);
    assert.notEqual(await hear(places.host, '::1', 8080), '');
    assert.equal(await hear(places.neighbour, lab.hostAddress, 8080), '');
    await engine.ok('rm', '-f', 'sixes');
  });

  it('are reached by the container itself and by its siblings', async () => {
    await telling('self', '--network', 'dual', '-p', '8080:80', '-p', '8080:80/udp');
    await engine.ok('run', '-d', '--name', 'sibling', '--network', 'dual', 'busybox', 'sleep', '600');
    await engine.ok('run', '-d', '--name', 'stranger', 'busybox', 'sleep', '600');
    for (const name of ['self', 'sibling', 'stranger'])
      for (const kind of ['tcp', 'udp'] as const)
        assert.notEqual(await hear(await netnsOf(name), lab.hostAddress, 8080, kind), '', `${name} ${kind}`);
    for (const name of ['self', 'sibling'])
      assert.notEqual(await hear(await netnsOf(name), host6, 8080), '', `${name} by IPv6`);
    await engine.ok('rm', '-f', 'self', 'sibling', 'stranger');
  });

  it('on one address are on that alone, and a loopback one is nobody else’s', async () => {
    const options = ['-p', '127.0.0.1:8081:80', '-p', '[::1]:8082:80', '-p', `[${host6}]:8083:80`];
    await telling('bound', '--network', 'dual', ...options);
    assert.notEqual(await hear(places.host, '127.0.0.1', 8081), '');
    assert.notEqual(await hear(places.host, '::1', 8082), '');
    assert.equal(await hear(places.neighbour, host6, 8083), neighbour6);
    for (const [address, port] of [
      [lab.hostAddress, 8081],
      [host6, 8082],
      [lab.hostAddress, 8083],
    ] as const)
      assert.equal(await hear(places.neighbour, address, port), '', `${address}:${port}`);
    assert.equal(await hear(places.host, '::1', 8083), '');
    await lab.route(`${await addressIn('bound', 'dual')}/32`);
    await execute('ip', ['-n', lab.neighbour, 'route', 'add', 'fd00:77::/64', 'via', host6]);
    await execute('ip', ['-n', lab.neighbour, 'route', 'add', 'local', '127.0.0.9', 'dev', 'lo']);
    assert.equal(await hear(places.neighbour, await addressIn('bound', 'dual'), 80), '', 'no direct way');
    assert.equal(await hear(places.neighbour, await addressIn('bound', 'dual', 'GlobalIPv6Address'), 80), '');
    await engine.ok('rm', '-f', 'bound');
  });

  it('take one number for both families, be it chosen or of a range', async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      'any',
      '-p',
      '80',
      '-p',
      '9000-9001:81',
      'busybox',
      'sleep',
      '600',
    );
    await engine.ok('run', '-d', '--name', 'next', '-p', '9000-9001:81', 'busybox', 'sleep', '600');
    const chosen = /^0\.0\.0\.0:(\d+)\n\[::\]:(\d+)$/.exec(await engine.ok('port', 'any', '80'));
    assert.ok(chosen && chosen[1] === chosen[2], String(chosen));
    assert.equal(await engine.ok('port', 'any', '81'), '0.0.0.0:9000\n[::]:9000');
    assert.equal(await engine.ok('port', 'next', '81'), '0.0.0.0:9001\n[::]:9001');
    const third = await engine.docker('run', '--name', 'third', '-p', '9000-9001:81', 'busybox', 'true');
    assert.equal(third.code, 125);
    assert.match(third.stderr, /all ports are allocated/);
    await engine.ok('rm', '-f', 'any', 'next', 'third');
  });

  it('that are taken are refused before anything starts, and it is said by whom', async () => {
    await engine.ok('run', '-d', '--name', 'holder', '-p', '9100:80', 'busybox', 'sleep', '600');
    const holding = spawn('nsenter', [`--net=${places.host}`, 'python3', '-c', TELL, '9101'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    servers.push(holding);
    await once(holding.stdout, 'data');
    const attempts = [
      ['9100:80', /Bind for :::9100 failed: port is already allocated \(by container holder\)/],
      [
        '127.0.0.1:9100:80',
        /Bind for 0\.0\.0\.0:9100 failed: port is already allocated \(by container holder\)/,
      ],
      [
        '9101:80',
        new RegExp(`0\\.0\\.0\\.0:9101:.*address already in use \\(held by python3.*, pid ${holding.pid}\\)`),
      ],
      [
        '[::1]:9101:80',
        new RegExp(`\\[::1\\]:9101:.*address already in use \\(held by python3.*, pid ${holding.pid}\\)`),
      ],
      ['9101:80/udp', /address already in use \(held by python3/],
      [
        '203.0.113.9:9102:80',
        /failed to bind host port for 203\.0\.113\.9:9102:.*: cannot assign requested address/,
      ],
    ] as const;
    const links = await onHost('ip', '-br', 'link');
    for (const [mapping, words] of attempts) {
      const { code, stderr } = await engine.docker(
        'run',
        '--name',
        'late',
        '-p',
        '9200:80',
        '-p',
        mapping,
        'busybox',
        'true',
      );
      assert.equal(code, 125, mapping);
      assert.match(stderr, words);
      assert.equal(
        await engine.inspect('late', '{{.State.Status}} {{.State.StartedAt}}'),
        'created 0001-01-01T00:00:00Z',
      );
      await engine.ok('rm', 'late');
    }
    assert.equal((await onHost('ip', '-br', 'link')).split('\n').length, links.split('\n').length);
    const bind = 'import socket; socket.socket().bind(("", 9100))';
    const outcome = await execute('nsenter', [`--net=${places.host}`, 'python3', '-c', bind]);
    assert.match(outcome.stderr, /Address already in use/, 'programs of the host are refused, too');
    await engine.ok('run', '--rm', '-p', '9200:80', 'busybox', 'true');
    await engine.ok('rm', '-f', 'holder');
    holding.kill();
  });

  it('carry SCTP, with the client’s address', async () => {
    await engine.ok('run', '-d', '--name', 'sctp', '-p', '9300:3868/sctp', 'busybox', 'sleep', '600');
    const listener = await serve('sctp', SCTP, 'listen');
    let heard = '';
    listener.stdout?.on('data', (chunk) => {
      heard += chunk;
    });
    await pythonIn(places.neighbour, SCTP, 'send', lab.hostAddress, '9300');
    const said = `3868 ${lab.neighbourAddress}`;
    await eventually(
      async () => heard.trim(),
      (text) => text === said,
      `it says ${said}`,
    );
    await engine.ok('rm', '-f', 'sctp');
  });

  it('of UDP take over a client that was sending before, and follow the container that has them', async () => {
    const ask = () => hear(places.neighbour, lab.hostAddress, 9400, 'udp', 5555);
    assert.equal(await ask(), '');
    for (const name of ['first', 'second']) {
      await telling(name, '-p', '9400:80/udp');
      await eventually(ask, (text) => text === lab.neighbourAddress, `${name} hears the client`);
      await engine.ok('rm', '-f', name);
      assert.equal(await ask(), '');
    }
  });
});

describe('obeyed ports', { skip: needsOwnDaemon }, () => {
  const { lab, engine, onHost } = useLab({ flags: ['--publish-policy', 'obey'] });
  const state = async () => [
    await onHost('ip', 'rule'),
    await onHost('ip', '-6', 'rule'),
    await onHost('nft', 'list', 'tables'),
  ];

  it('outlive a killed daemon, and leave no rule behind', async () => {
    const clean = await state();
    const serve = ['busybox', 'nc', '-ll', '-p', '80', '-e', 'echo', 'hello'];
    await engine.ok('run', '-d', '--name', 'kept', '-p', '8080:80', ...serve);
    const hears = (text: string) =>
      eventually(
        () => lab.ask(8080),
        (heard) => heard === text,
        `hears ${text}`,
      );
    await hears('hello\n');
    assert.notDeepEqual(await state(), clean);
    await engine.kill();
    await engine.run();
    await hears('hello\n');
    await engine.kill();
    await execute('nft', ['list', 'tables']);
    await engine.run();
    await engine.ok('rm', '-f', 'kept');
    assert.deepEqual(await state(), clean);
  });
});
