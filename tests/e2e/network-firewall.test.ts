import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eventually, needsOwnDaemon } from './support/index.ts';
import { useLab } from './support/lab.ts';

const SERVE = ['busybox', 'nc', '-ll', '-p', '80', '-e', 'echo', 'hello'];

describe('an nft table that others flush', { skip: needsOwnDaemon }, () => {
  const { lab, engine, onHost, answers } = useLab();

  it('comes back by itself, with every port and every wall', async () => {
    await engine.ok('network', 'create', 'walled');
    await engine.ok('run', '-d', '--name', 'web', '--network', 'walled', '-p', '8080:80', ...SERVE);
    await engine.ok('run', '-d', '--name', 'hidden', '--network', 'walled', ...SERVE);
    await answers(8080);
    const address = await engine.inspect('hidden', '{{.NetworkSettings.Networks.walled.IPAddress}}');
    await lab.route(`${address}/32`);
    const flushes = [
      ['nft', 'flush', 'ruleset'],
      ['nft', 'delete', 'table', 'inet', engine.nftTable],
      ['nft', 'flush', 'table', 'inet', engine.nftTable],
    ];
    for (const flush of flushes) {
      const whole = await onHost('nft', 'list', 'table', 'inet', engine.nftTable);
      await onHost(...flush);
      await eventually(
        () =>
          onHost('nft', 'list', 'tables').then((tables) =>
            tables.includes(engine.nftTable) ? onHost('nft', 'list', 'table', 'inet', engine.nftTable) : '',
          ),
        (text) => text.length === whole.length,
        `the table is whole again after ${flush.join(' ')}`,
      );
      assert.equal(await lab.ask(8080), 'hello\n');
      assert.equal(await lab.ask(80, address), '', 'what is not published stays out of reach');
    }
    await engine.ok('rm', '-f', 'web', 'hidden');
  });

  it('is alone: tables of others are neither changed nor needed', async () => {
    await onHost('nft', 'add', 'table', 'inet', 'others');
    await onHost('nft', 'add', 'chain', 'inet', 'others', 'c', '{ type filter hook input priority 0; }');
    const before = await onHost('nft', 'list', 'table', 'inet', 'others');
    await engine.ok('run', '-d', '--name', 'web', '-p', '8080:80', ...SERVE);
    await answers(8080);
    await engine.ok('rm', '-f', 'web');
    assert.equal(await onHost('nft', 'list', 'table', 'inet', 'others'), before);
    await onHost('nft', 'delete', 'table', 'inet', 'others');
  });
});

/** What an administrator's firewall does: everything else is let in, one port is not. */
const DROP_8080 = [
  ['nft', 'add', 'table', 'inet', 'admin'],
  ['nft', 'add', 'chain', 'inet', 'admin', 'input', '{ type filter hook input priority 0; policy accept; }'],
  ['nft', 'add', 'rule', 'inet', 'admin', 'input', 'iifname', 'eth0', 'tcp', 'dport', '8080', 'drop'],
];

for (const policy of ['open', 'obey'] as const)
  describe(`the host's own rules under the publish policy ${policy}`, { skip: needsOwnDaemon }, () => {
    const { lab, engine, onHost, answers } = useLab({ flags: ['--publish-policy', policy] });
    before(async () => {
      for (const command of DROP_8080) await onHost(...command);
    });

    it(
      policy === 'open' ? 'do not count for published ports' : 'are obeyed for published ports',
      async () => {
        await engine.ok('run', '-d', '--name', 'web', '-p', '8080:80', '-p', '8081:80', ...SERVE);
        await answers(8081);
        assert.equal(await lab.ask(8080), policy === 'open' ? 'hello\n' : '');
        const local = await onHost('busybox', 'timeout', '3', 'busybox', 'nc', '127.0.0.1', '8080');
        assert.equal(local, 'hello\n', 'the rule is about the neighbour only');
        await engine.ok('rm', '-f', 'web');
      },
    );

    it('and the container sees who asks', async () => {
      const script = 'while true; do nc -l -p 80 -e sh -c "echo \\$NCADDR; netstat -tn | grep :80"; done';
      await engine.ok('run', '-d', '--name', 'seer', '-p', '8082:80', 'busybox', 'sh', '-c', script);
      const said = await eventually(
        () => lab.ask(8082),
        (text) => text.includes(':80'),
        'it answers',
      );
      assert.match(said, new RegExp(lab.neighbourAddress.replaceAll('.', '\\.')));
      await engine.ok('rm', '-f', 'seer');
    });
  });

describe('what can be reached from where', { skip: needsOwnDaemon }, () => {
  const { lab, engine, onHost } = useLab();

  it('an internal network reaches nobody and is reached by nobody', async () => {
    await engine.ok('network', 'create', '--internal', 'sealed');
    await engine.ok('run', '-d', '--name', 'inmate', '--network', 'sealed', '-p', '8090:80', ...SERVE);
    await engine.ok('run', '-d', '--name', 'mate', '--network', 'sealed', 'busybox', 'sleep', '600');
    const out = await engine.docker('exec', 'inmate', 'ping', '-c', '1', '-W', '1', lab.neighbourAddress);
    assert.notEqual(out.code, 0);
    assert.equal(await lab.ask(8090), '');
    const asked = await engine.docker('exec', 'mate', 'nslookup', 'example.org');
    assert.match(asked.stdout + asked.stderr, /REFUSED/, 'no name leaves');
    const inside = await engine.docker('exec', 'mate', 'sh', '-c', 'nc inmate 80 </dev/null');
    assert.equal(inside.stdout, 'hello\n');
    await engine.ok('rm', '-f', 'inmate', 'mate');
    await engine.ok('network', 'rm', 'sealed');
  });

  it('is on one screen, with the reason', async () => {
    await engine.ok('network', 'create', 'front');
    await engine.ok('run', '-d', '--name', 'public', '--network', 'front', '-p', '8080:80', ...SERVE);
    await engine.ok(
      'run',
      '-d',
      '--name',
      'private',
      '--network',
      'front',
      '-p',
      '127.0.0.1:8081:80',
      ...SERVE,
    );
    const { code, stdout } = await engine.wharf('network', 'exposure', '--format', 'json');
    assert.equal(code, 0);
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const of = (name: string) =>
      rows.filter((row) => row.Container === name).map((row) => `${row.At} ${row.Port} ${row.From}`);
    assert.ok(of('public').includes('0.0.0.0:8080 80/tcp lan'), of('public').join('; '));
    assert.ok(of('private').includes('127.0.0.1:8081 80/tcp host'), of('private').join('; '));
    assert.ok(rows.every((row) => row.Why.length > 0));
    const table = await engine.wharf('network', 'exposure');
    assert.match(table.stdout, /^CONTAINER .*REACHABLE AT .*WHY/);
    await engine.ok('rm', '-f', 'public', 'private');
    await engine.ok('network', 'rm', 'front');
  });

  it('a route of a VPN that comes later is told of, and there is a way out', async () => {
    await engine.ok('network', 'create', 'late');
    await engine.ok('run', '-d', '--name', 'moves', '--network', 'late', 'busybox', 'sleep', '600');
    const subnet = async () =>
      JSON.parse((await engine.api('GET', '/networks/late')).text).IPAM.Config[0].Subnet as string;
    const before = await subnet();
    await onHost('ip', 'route', 'add', before.replace('.0/24', '.64/26'), 'via', lab.neighbourAddress);
    const warned = await eventually(
      async () => JSON.parse((await engine.api('GET', '/info')).text).Warnings as string[] | null,
      (warnings) => (warnings ?? []).some((text) => text.includes('late')),
      'info tells of the clash',
    );
    assert.match((warned ?? []).join('\n'), /wharf network renumber late/);
    const { code, stderr } = await engine.wharf('network', 'renumber', 'late');
    assert.equal(code, 0, stderr);
    assert.notEqual(await subnet(), before);
    const address = await engine.inspect('moves', '{{.NetworkSettings.Networks.late.IPAddress}}');
    assert.match(await engine.ok('exec', 'moves', 'ip', '-4', '-o', 'addr'), new RegExp(`inet ${address}/`));
    await eventually(
      async () => JSON.parse((await engine.api('GET', '/info')).text).Warnings as string[] | null,
      (warnings) => !(warnings ?? []).some((text) => text.includes('late')),
      'the clash is gone',
    );
    await engine.ok('rm', '-f', 'moves');
    await engine.ok('network', 'rm', 'late');
  });

  it('a container on a macvlan is a neighbour of the neighbour', async () => {
    await engine.ok(
      'network',
      'create',
      '-d',
      'macvlan',
      '-o',
      'parent=eth0',
      '--subnet',
      '192.0.2.0/24',
      '--gateway',
      lab.neighbourAddress,
      '--aux-address',
      `host=${lab.hostAddress}`,
      'lan',
    );
    await engine.ok('run', '-d', '--name', 'onlan', '--network', 'name=lan,ip=192.0.2.50', ...SERVE);
    const said = await eventually(
      () => lab.ask(80, '192.0.2.50'),
      (text) => text !== '',
      'the neighbour is answered',
    );
    assert.equal(said, 'hello\n');
    await engine.ok('rm', '-f', 'onlan');
    await engine.ok('network', 'rm', 'lan');
  });

  it('ipvlan works where the kernel has it, and says so where not', async () => {
    const made = await engine.docker(
      'network',
      'create',
      '-d',
      'ipvlan',
      '-o',
      'parent=eth0',
      '--subnet',
      '192.0.2.0/24',
      'flat',
    );
    if (made.code !== 0) {
      assert.match(made.stderr, /ipvlan/);
      assert.match(made.stderr, /kernel/);
      return;
    }
    await engine.ok('run', '-d', '--name', 'onflat', '--network', 'name=flat,ip=192.0.2.60', ...SERVE);
    assert.equal(await eventually(() => lab.ask(80, '192.0.2.60'), Boolean, 'it answers'), 'hello\n');
    await engine.ok('rm', '-f', 'onflat');
    await engine.ok('network', 'rm', 'flat');
  });
});
