import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { eventually, execute, needsOwnDaemon, useDaemon } from './support/index.ts';
import { NeighbourLab } from './support/neighbour-lab.ts';

/** A free port above the range that the kernel gives to clients. */
const freePort = () => randomInt(61_000, 65_000);

/** What a server says when one connects. */
function hear(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ host, port, timeout: 3000 });
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text));
    socket.on('timeout', () => socket.destroy(new Error(`no answer from ${host}:${port}`)));
    socket.on('error', reject);
  });
}

/** The host's own address that others use. */
function hostAddress(): string | undefined {
  return Object.entries(networkInterfaces())
    .filter(([name]) => /^(eth|en|wl)/.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}

const SERVE = ['busybox', 'nc', '-ll', '-p', '80', '-e', 'echo', 'hello'];

describe('the default network', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const run = (...args: string[]) => engine.ok('run', '--rm', ...args);

  it('gives an address of the pool, a route and a name', async () => {
    await engine.ok('run', '-d', '--name', 'addressed', 'busybox', 'sleep', '60');
    const address = await engine.inspect('addressed', '{{.NetworkSettings.Networks.bridge.IPAddress}}');
    assert.equal(address.split('.').slice(0, 3).join('.'), engine.subnet.split('.').slice(0, 3).join('.'));
    const gateway = await engine.inspect('addressed', '{{.NetworkSettings.Gateway}}');
    const inside = await engine.ok('exec', 'addressed', 'sh', '-c', 'ip -4 -o addr show eth0; ip route');
    assert.match(inside, new RegExp(`inet ${address}/24`));
    assert.match(inside, new RegExp(`default via ${gateway} dev eth0`));
    assert.match(
      await engine.ok('exec', 'addressed', 'cat', '/etc/hosts'),
      new RegExp(`^${address}\t[0-9a-f]{12}$`, 'm'),
    );
    await engine.ok('rm', '-f', 'addressed');
  });

  it('publishes ports to loopback and to the host', async () => {
    const port = freePort();
    await engine.ok('run', '-d', '--name', 'published', '-p', `${port}:80`, ...SERVE);
    for (const host of ['127.0.0.1', hostAddress()].filter((one) => one !== undefined))
      await eventually(
        () => hear(host, port).catch((error) => String(error)),
        (text) => text === 'hello\n',
        `${host}:${port} answers`,
      );
    assert.equal((await engine.ok('port', 'published', '80')).split('\n')[0], `0.0.0.0:${port}`);
    assert.match(
      await engine.ok('ps', '--filter', 'name=published', '--format', '{{.Ports}}'),
      new RegExp(`0\\.0\\.0\\.0:${port}->80/tcp`),
    );
    await engine.ok('stop', '-t', '0', 'published');
    await assert.rejects(hear('127.0.0.1', port), /ECONNREFUSED|no answer/);
    await engine.ok('start', 'published');
    await eventually(
      () => hear('127.0.0.1', port).catch(() => ''),
      (text) => text === 'hello\n',
      'it answers again',
    );
    await engine.ok('rm', '-f', 'published');
  });

  it('publishes on one address only when asked', async () => {
    const port = freePort();
    await engine.ok('run', '-d', '--name', 'local', '-p', `127.0.0.1:${port}:80`, ...SERVE);
    await eventually(
      () => hear('127.0.0.1', port).catch(() => ''),
      (text) => text === 'hello\n',
      'loopback answers',
    );
    const outside = hostAddress();
    if (outside) await assert.rejects(hear(outside, port));
    await engine.ok('rm', '-f', 'local');
  });

  it('chooses ports with -P and for port 0, and maps ranges', async () => {
    await engine.ok('run', '-d', '--name', 'chosen', '-P', '--expose', '80', '--expose', '81/udp', ...SERVE);
    const [, chosen] = /:(\d+)$/m.exec(await engine.ok('port', 'chosen', '80/tcp')) ?? [];
    await eventually(
      () => hear('127.0.0.1', Number(chosen)).catch(() => ''),
      (text) => text === 'hello\n',
      'it answers',
    );
    assert.match(await engine.ok('port', 'chosen', '81/udp'), /:\d+$/m);
    await engine.ok('rm', '-f', 'chosen');
    const first = freePort();
    await engine.ok('run', '-d', '--name', 'ranged', '-p', `${first}-${first + 1}:80-81`, ...SERVE);
    assert.match(await engine.ok('port', 'ranged', '81'), new RegExp(`:${first + 1}$`, 'm'));
    await engine.ok('rm', '-f', 'ranged');
  });

  it('refuses a port that is taken, by a container or by the host', async () => {
    const port = freePort();
    await engine.ok('run', '-d', '--name', 'holder', '-p', `${port}:80`, ...SERVE);
    const second = await engine.docker('run', '--name', 'second', '-p', `${port}:80`, ...SERVE);
    assert.equal(second.code, 125);
    assert.match(second.stderr, /port is already allocated/);
    await engine.ok('rm', '-f', 'holder', 'second');
    const server: Server = createServer().listen(port, '0.0.0.0');
    await new Promise((resolve) => server.once('listening', resolve));
    const third = await engine.docker('run', '--name', 'third', '-p', `${port}:80`, ...SERVE);
    server.close();
    assert.equal(third.code, 125);
    assert.match(third.stderr, /address already in use/);
    await engine.ok('rm', '-f', 'third');
  });

  it('lets containers reach the host by its gateway name', async () => {
    const server = createServer((socket) => socket.end('from the host\n')).listen(0, '0.0.0.0');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const ask = ['sh', '-c', `timeout 10 nc gate ${port} </dev/null`];
    const { stdout } = await engine.docker(
      'run',
      '--rm',
      '--add-host',
      'gate:host-gateway',
      'busybox',
      ...ask,
    );
    server.close();
    assert.equal(stdout, 'from the host\n');
  });

  it('writes hosts and resolv.conf as told', async () => {
    const text = await run(
      '--add-host',
      'db:10.9.8.7',
      '--dns',
      '9.9.9.9',
      '--dns-search',
      'example.org',
      '--dns-option',
      'ndots:3',
      '--hostname',
      'box',
      'busybox',
      'cat',
      '/etc/hosts',
      '/etc/resolv.conf',
    );
    assert.match(text, /^127\.0\.0\.1\tlocalhost$/m);
    assert.match(text, /^10\.9\.8\.7\tdb$/m);
    assert.match(text, /^10\.\S+\tbox$/m);
    assert.match(text, /^nameserver 9\.9\.9\.9$/m);
    assert.match(text, /^search example\.org$/m);
    assert.match(text, /^options ndots:3$/m);
  });
});

describe('other network modes', () => {
  const engine = useDaemon();

  it('none has a loopback only', async () => {
    const text = await engine.ok('run', '--rm', '--net', 'none', 'busybox', 'ip', '-o', 'link');
    assert.match(text, /^1: lo: <LOOPBACK,UP/);
    assert.doesNotMatch(text, /eth/);
    const hosts = await engine.ok('run', '--rm', '--net', 'none', 'busybox', 'cat', '/etc/hosts');
    assert.match(hosts, /^127\.0\.0\.1\tlocalhost$/m);
  });

  it('host is the namespace of the host', { skip: needsOwnDaemon }, async () => {
    const inside = await engine.ok(
      'run',
      '--rm',
      '--net',
      'host',
      'busybox',
      'readlink',
      '/proc/self/ns/net',
    );
    assert.equal(inside, (await execute('readlink', ['/proc/self/ns/net'])).stdout.trim());
  });

  it('container: shares namespace, hosts and name', async () => {
    const base = `base-${engine.id}`;
    await engine.ok('run', '-d', '--name', base, '--hostname', 'shared', 'busybox', 'sleep', '60');
    const look = ['sh', '-c', 'readlink /proc/self/ns/net; hostname; cat /etc/hosts'];
    const first = await engine.ok('exec', base, ...look);
    assert.equal(await engine.ok('run', '--rm', '--net', `container:${base}`, 'busybox', ...look), first);
    const conflict = await engine.docker(
      'run',
      '--rm',
      '--net',
      `container:${base}`,
      '-p',
      '80',
      'busybox',
      'true',
    );
    assert.equal(conflict.code, 125);
    assert.match(conflict.stderr, /conflicting options: port publishing and the container type network mode/);
    await engine.ok('rm', '-f', base);
    const gone = await engine.docker('run', '--rm', '--net', `container:${base}`, 'busybox', 'true');
    assert.match(gone.stderr, /No such container/);
  });
});

describe('a host with a neighbour', { skip: needsOwnDaemon }, () => {
  const lab = new NeighbourLab();
  before(() => lab.build());
  const engine = useDaemon({ launcher: ['nsenter', `--net=/run/netns/${lab.host}`] });
  after(() => lab.remove());

  it('containers reach the neighbour by NAT', async () => {
    const { code, stdout, stderr } = await engine.docker(
      'run',
      '--rm',
      'busybox',
      'ping',
      '-c',
      '1',
      '-W',
      '3',
      lab.neighbourAddress,
    );
    assert.equal(code, 0, stdout + stderr);
  });

  it('containers reach each other, by address and by a published port of the host', async () => {
    await engine.ok('run', '-d', '--name', 'peer', '-p', '8090:80', ...SERVE);
    const address = await engine.inspect('peer', '{{.NetworkSettings.IPAddress}}');
    for (const [host, port] of [
      [address, 80],
      [lab.hostAddress, 8090],
    ] as const) {
      const ask = ['sh', '-c', `timeout 10 nc ${host} ${port} </dev/null`];
      assert.equal(
        (await engine.docker('run', '--rm', 'busybox', ...ask)).stdout,
        'hello\n',
        `${host}:${port}`,
      );
      // A container reaches itself by the host's address, too (hairpin).
      assert.equal(
        (await engine.docker('exec', 'peer', ...ask)).stdout,
        'hello\n',
        `itself at ${host}:${port}`,
      );
    }
    await engine.ok('rm', '-f', 'peer');
  });

  it('the neighbour reaches a published port, and no port published on loopback', async () => {
    await engine.ok('run', '-d', '--name', 'open', '-p', '8080:80', '-p', '127.0.0.1:8081:80', ...SERVE);
    const said = await eventually(
      () => lab.ask(8080),
      (text) => text !== '',
      'the neighbour is answered',
    );
    assert.equal(said, 'hello\n');
    assert.equal(await lab.ask(8081), '');
  });

  it('the neighbour does not reach a container past its published ports', async () => {
    const address = await engine.inspect('open', '{{.NetworkSettings.IPAddress}}');
    await lab.route(engine.subnet);
    assert.equal(await lab.ask(80, address), '');
    await engine.ok('rm', '-f', 'open');
  });
});

describe('two daemons on one host', { skip: needsOwnDaemon }, () => {
  const one = useDaemon();
  const two = useDaemon();

  it('do not meet: names, containers, addresses, ports', async () => {
    const ports = [freePort(), freePort()];
    for (const [at, engine] of [one, two].entries())
      await engine.ok('run', '-d', '--name', 'same-name', '-p', `${ports[at]}:80`, ...SERVE);
    for (const port of ports)
      await eventually(
        () => hear('127.0.0.1', port).catch(() => ''),
        (text) => text === 'hello\n',
        `${port} answers`,
      );
    assert.equal(await one.ok('ps', '-q').then((text) => text.split('\n').length), 1);
    await one.ok('rm', '-f', 'same-name');
    assert.equal(await hear('127.0.0.1', ports[1] as number), 'hello\n');
    await two.ok('rm', '-f', 'same-name');
  });
});
