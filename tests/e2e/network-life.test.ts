import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, execute, needsOwnDaemon, useDaemon } from './support/index.ts';
import { useLab } from './support/lab.ts';

const SLEEP = ['busybox', 'sleep', '3600'];

describe('networks of users', { skip: needsOwnDaemon }, () => {
  const { engine } = useLab();
  const ping = (from: string, to: string) =>
    engine
      .docker('exec', from, 'timeout', '2', 'ping', '-c', '1', '-W', '1', to)
      .then(({ code }) => code === 0);
  const address = (name: string, network: string, field = 'IPAddress') =>
    engine.inspect(name, `{{(index .NetworkSettings.Networks "${network}").${field}}}`);
  const run = (name: string, ...flags: string[]) =>
    engine.ok('run', '-d', '--name', name, ...flags, ...SLEEP);
  const remove = async (containers: string[], networks: string[]) => {
    await engine.ok('rm', '-f', ...containers);
    await engine.ok('network', 'rm', ...networks);
  };

  it('let containers find each other by name, and keep others out', async () => {
    await engine.ok('network', 'create', 'blue');
    await engine.ok('network', 'create', 'red');
    await run('b1', '--network', 'blue');
    await run('b2', '--network', 'blue', '--network-alias', 'db');
    await run('r1', '--network', 'red');
    assert.ok(await ping('b1', 'b2'), 'by name');
    assert.ok(await ping('b1', 'db'), 'by alias');
    assert.equal(await ping('b1', 'r1'), false, 'a name of another network is not known');
    assert.equal(await ping('b1', await address('r1', 'red')), false, 'nor is its address reached');
    await remove(['b1', 'b2', 'r1'], ['blue', 'red']);
  });

  it('are joined and left while a container runs; routes and names follow', async () => {
    await engine.ok('network', 'create', 'aaa');
    await engine.ok('network', 'create', 'zzz');
    await run('walker', '--network', 'zzz');
    await run('friend', '--network', 'aaa');
    assert.equal(await ping('walker', 'friend'), false);
    await engine.ok('network', 'connect', '--alias', 'w', 'aaa', 'walker');
    assert.ok(await ping('walker', 'friend'));
    assert.ok(await ping('friend', 'w'));
    const gateway = async () =>
      /default via (\S+)/.exec(await engine.ok('exec', 'walker', 'ip', 'route'))?.[1];
    // Of equal priority, the first by name has the default route.
    assert.equal(await gateway(), await address('walker', 'aaa', 'Gateway'));
    await engine.ok('network', 'disconnect', 'aaa', 'walker');
    assert.equal(await ping('walker', 'friend'), false);
    assert.equal(await gateway(), await address('walker', 'zzz', 'Gateway'));
    await engine.ok('network', 'connect', '--gw-priority', '-1', 'aaa', 'walker');
    assert.equal(await gateway(), await address('walker', 'zzz', 'Gateway'));
    const hosts = await engine.ok('exec', 'walker', 'cat', '/etc/hosts');
    assert.match(hosts, new RegExp(`^${await address('walker', 'aaa')}\t`, 'm'));
    await remove(['walker', 'friend'], ['aaa', 'zzz']);
  });

  it('are joined by a stopped container at its next start', async () => {
    await engine.ok('network', 'create', '--subnet', '10.251.3.0/24', 'later');
    await engine.ok('create', '--name', 'idle', ...SLEEP);
    await engine.ok('network', 'connect', '--ip', '10.251.3.77', 'later', 'idle');
    await engine.ok('start', 'idle');
    assert.equal(await address('idle', 'later'), '10.251.3.77');
    assert.match(await engine.ok('exec', 'idle', 'ip', '-4', '-o', 'addr'), /10\.251\.3\.77\/24/);
    await engine.ok('restart', '-t', '0', 'idle');
    assert.equal(await address('idle', 'later'), '10.251.3.77');
    await engine.ok('stop', '-t', '0', 'idle');
    await engine.ok('network', 'disconnect', 'later', 'idle');
    await engine.ok('start', 'idle');
    assert.doesNotMatch(await engine.ok('exec', 'idle', 'ip', '-4', '-o', 'addr'), /10\.251\.3\./);
    await remove(['idle'], ['later']);
  });

  it('give one container several networks at its start, with all that the long form says', async () => {
    for (const [name, subnet] of [
      ['one', '10.251.4.0/24'],
      ['two', '10.251.5.0/24'],
      ['three', '10.251.6.0/24'],
    ] as const)
      await engine.ok('network', 'create', '--subnet', subnet, name);
    await run(
      'multi',
      ...['--network', 'name=one,ip=10.251.4.9,alias=uno,mac-address=02:11:22:33:44:55'],
      ...['--network', 'name=two,ip=10.251.5.9,gw-priority=5'],
      ...['--network', 'name=three,driver-opt=com.docker.network.endpoint.ifname=outer0'],
    );
    const shown = await engine.ok('exec', 'multi', 'ip', '-o', 'addr');
    for (const text of [/10\.251\.4\.9\/24/, /10\.251\.5\.9\/24/, /outer0/]) assert.match(shown, text);
    assert.match(await engine.ok('exec', 'multi', 'ip', 'link'), /02:11:22:33:44:55/);
    assert.match(await engine.ok('exec', 'multi', 'ip', 'route'), /default via 10\.251\.5\.1/);
    await remove(['multi'], ['one', 'two', 'three']);
  });

  it('with two families or with IPv6 alone', async () => {
    await engine.ok('network', 'create', '--ipv6', 'dual');
    await engine.ok('network', 'create', '--ipv4=false', '--ipv6', '--subnet', 'fd51:8::/64', 'six');
    await run('d1', '--network', 'dual');
    await run('d2', '--network', 'dual', '--network', 'six');
    await run('s1', '--network', 'name=six,ip6=fd51:8::99');
    const ping6 = (from: string, to: string) =>
      engine
        .docker('exec', from, 'timeout', '2', 'ping', '-6', '-c', '1', '-W', '1', to)
        .then(({ code }) => code === 0);
    assert.ok(await ping('d1', 'd2'));
    assert.ok(await ping6('d1', 'd2'));
    assert.ok(await ping6('d2', 's1'));
    assert.equal(await address('s1', 'six', 'GlobalIPv6Address'), 'fd51:8::99');
    assert.equal(await address('s1', 'six'), '');
    assert.doesNotMatch(await engine.ok('exec', 's1', 'ip', '-4', '-o', 'addr', 'show', 'eth0'), /inet /);
    assert.match(
      await address('d1', 'dual', 'GlobalIPv6Address'),
      /^fd/,
      'a unique local address by default',
    );
    assert.equal(await ping6('d1', 's1'), false, 'names of a network that is not shared');
    await remove(['d1', 'd2', 's1'], ['dual', 'six']);
  });

  it('share a network stack with another container', async () => {
    await engine.ok('network', 'create', 'shared');
    await run('owner', '--network', 'shared');
    const mine = await engine.ok(
      'run',
      '--rm',
      '--network',
      'container:owner',
      'busybox',
      'ip',
      '-4',
      '-o',
      'addr',
    );
    assert.match(mine, new RegExp(await address('owner', 'shared')));
    await remove(['owner'], ['shared']);
  });

  it('are refused removal while in use, and pruned when not', async () => {
    await engine.ok('network', 'create', 'used');
    await engine.ok('network', 'create', '--label', 'keep', 'unused');
    await run('user', '--network', 'used');
    const refused = await engine.docker('network', 'rm', 'used');
    assert.match(refused.stderr, /has active endpoints/);
    assert.match(await engine.ok('network', 'prune', '-f'), /unused/);
    assert.doesNotMatch(await engine.ok('network', 'ls'), /unused/);
    await remove(['user'], ['used']);
  });

  it('survive a restart of the daemon, names and all', async () => {
    await engine.ok('network', 'create', 'lasting');
    await run('l1', '--network', 'lasting');
    await run('l2', '--network', 'lasting');
    const before = await execute('nsenter', [
      '-t',
      await engine.inspect('l1', '{{.State.Pid}}'),
      '-n',
      'ip',
      'addr',
    ]);
    await engine.kill();
    await engine.run();
    assert.ok(await ping('l1', 'l2'));
    const after = await execute('nsenter', [
      '-t',
      await engine.inspect('l1', '{{.State.Pid}}'),
      '-n',
      'ip',
      'addr',
    ]);
    assert.equal(after.stdout, before.stdout, 'the container sees no change');
    await eventually(() => ping('l2', 'l1'), Boolean, 'names are answered again');
    await remove(['l1', 'l2'], ['lasting']);
  });
});

describe('a daemon with its default pools', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon({ pools: 'default', busybox: false });

  it('has room for three hundred networks, none of which meets another', async () => {
    const subnets = new Set<string>();
    for (let at = 0; at < 300; at++) {
      const { status, text } = await engine.api('POST', '/networks/create', { Name: `many-${at}` });
      assert.equal(status, 201, text);
      const { text: document } = await engine.api('GET', `/networks/many-${at}`);
      subnets.add(JSON.parse(document).IPAM.Config[0].Subnet);
    }
    assert.equal(subnets.size, 300);
  });
});
