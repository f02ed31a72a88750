import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeCertificates } from './support/certificates.ts';
import {
  eventually,
  execute,
  needsOwnDaemon,
  stockClient,
  TestDaemon,
  useDaemon,
  WHARFD,
} from './support/index.ts';

const wharfd = (...args: string[]) => execute(WHARFD, args);

describe('wharfd', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon({ flags: ['--label', 'flag=1'], config: { 'log-level': 'info' } });

  it('tells its flags and version', async () => {
    const help = await wharfd('--help');
    assert.equal(help.code, 0);
    for (const flag of [
      '--data-root',
      '--exec-root',
      '--host',
      '--config-file',
      '--live-restore',
      '--validate',
    ])
      assert.ok(help.stdout.includes(flag), flag);
    assert.match((await wharfd('--version')).stdout, /^Wharf version \d/);
    const unknown = await wharfd('--no-such-flag');
    assert.notEqual(unknown.code, 0);
    assert.match(unknown.stderr, /unknown flag: --no-such-flag/);
  });

  it('checks a configuration without starting', async () => {
    const file = join(engine.temporary, 'check.json');
    const validate = () => wharfd('--validate', '--config-file', file);
    writeFileSync(file, '{"debug": true}');
    assert.deepEqual([(await validate()).code, (await validate()).stdout], [0, 'configuration OK\n']);
    for (const [text, complaint] of [
      ['{"no-such-key": 1}', /no-such-key/],
      ['{"debug": "yes"}', /debug/],
      ['{', /JSON/i],
      ['{"storage-driver": "btrfs"}', /storage-driver/],
    ] as const) {
      writeFileSync(file, text);
      const { code, stderr } = await validate();
      assert.notEqual(code, 0, text);
      assert.match(stderr, complaint);
    }
  });

  it('refuses a flag that the file says otherwise', async () => {
    const file = join(engine.temporary, 'double.json');
    writeFileSync(file, '{"labels": ["a=b"]}');
    const { code, stderr } = await wharfd('--validate', '--config-file', file, '--label', 'c=d');
    assert.notEqual(code, 0);
    assert.match(stderr, /specified both as a flag and in the configuration file|label/);
  });

  it('guards its socket and directories', () => {
    assert.equal(statSync(engine.socket).mode & 0o7777, 0o660);
    assert.equal(statSync(engine.dataRoot).mode & 0o007 & 0o006, 0);
    assert.equal(existsSync(join(engine.dataRoot, 'containers')), true);
  });

  it('takes a changed configuration over on SIGHUP, and keeps the old one when it is wrong', async () => {
    const labels = async () => JSON.parse(await engine.ok('info', '--format', '{{json .Labels}}'));
    const debug = () => engine.ok('info', '--format', '{{.Debug}}');
    assert.deepEqual(await labels(), ['flag=1']);
    engine.configure({ 'log-level': 'info', debug: true, 'shutdown-timeout': 5 });
    await engine.signal('SIGHUP');
    await eventually(debug, (text) => text === 'true', 'debug is on');
    const filters = ['--filter', 'type=daemon', '--format', '{{.Action}}'];
    // Clients round `until` down to whole seconds: what happened in the present one is not shown yet.
    await eventually(
      () => engine.ok('events', '--since', '1m', '--until', '0s', ...filters),
      (text) => text.includes('reload'),
      'the reload is told',
    );
    engine.configure({ nonsense: 1 });
    const from = engine.logSize();
    await engine.signal('SIGHUP');
    await eventually(
      () => engine.log(from),
      (text) => text.includes('nonsense'),
      'it complains',
    );
    assert.equal(await debug(), 'true');
    engine.configure({ 'log-level': 'info' });
  });

  it('refuses a second daemon on its data root or exec root and goes on itself', async () => {
    const same = await execute(
      WHARFD,
      engine.args().map((arg) => arg.replace(engine.socket, `${engine.socket}2`)),
    );
    assert.notEqual(same.code, 0);
    assert.match(same.stderr, /exec root .* is in use by another running daemon/);
    // What it might share besides: each of them is refused by itself.
    const own = new Map([
      [`unix://${engine.socket}`, `unix://${engine.socket}2`],
      [engine.bridge, `${engine.bridge}b`],
      [engine.nftTable, `${engine.nftTable}_b`],
    ]);
    const args = engine.args().map((arg) => own.get(arg) ?? arg);
    const otherRun = args.map((arg) => (arg === engine.execRoot ? `${engine.execRoot}-b` : arg));
    const sameData = await execute(WHARFD, otherRun);
    rmSync(`${engine.execRoot}-b`, { recursive: true, force: true });
    assert.notEqual(sameData.code, 0);
    assert.match(sameData.stderr, /data root .* is in use by another running daemon/);
    const container = await engine.ok('run', '-d', 'busybox', 'sleep', '600');
    const sameRun = await execute(
      WHARFD,
      args.map((arg) => (arg === engine.dataRoot ? `${engine.dataRoot}-b` : arg)),
    );
    assert.match(sameRun.stderr, /exec root .* is in use by another running daemon/);
    assert.equal(await engine.ok('inspect', '-f', '{{.State.Running}}', container), 'true');
    await engine.ok('rm', '-f', container);
    assert.equal((await engine.api('GET', '/_ping')).text, 'OK');
    assert.equal(await engine.ok('run', '--rm', 'busybox', 'echo', 'unharmed'), 'unharmed');
    const doctor = await engine.wharf('doctor', '--verify');
    assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
  });

  it('answers nonsense clearly and goes on', async () => {
    const raw = (text: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(engine.socket);
        let answer = '';
        socket.setTimeout(5000, () => socket.destroy(new Error('no answer')));
        socket.on('data', (chunk) => {
          answer += chunk;
        });
        socket.on('error', reject);
        socket.on('close', () => resolve(answer));
        socket.end(text);
      });
    assert.match(await raw('NONSENSE\r\n\r\n'), /^HTTP\/1\.1 400/);
    const answers: [string, string, number][] = [
      ['GET', '/v1.99/info', 400],
      ['GET', '/v1.12/info', 400],
      ['GET', '/no/such/path', 404],
      ['DELETE', '/info', 404],
      ['GET', '/containers/json?filters=%7B', 400],
    ];
    for (const [method, path, status] of answers) {
      const answer = await engine.api(method, path);
      assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
      assert.ok(JSON.parse(answer.text).message, answer.text);
    }
    assert.equal((await engine.api('GET', '/_ping')).status, 200);
  });

  it('stays up without containers being touched through SIGTERM with live-restore', async () => {
    await engine.ok('run', '-d', '--name', 'lives-on', 'busybox', 'sleep', '600');
    const pid = await engine.inspect('lives-on', '{{.State.Pid}}');
    assert.equal(await engine.stop(), 0);
    assert.ok(existsSync(`/proc/${pid}`), 'the container goes on');
    assert.ok(!existsSync(engine.socket), 'the socket is gone');
    await engine.run();
    assert.equal(await engine.inspect('lives-on', '{{.State.Status}} {{.State.Pid}}'), `running ${pid}`);
    await engine.ok('rm', '-f', 'lives-on');
  });
});

describe('wharfd without live-restore', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon({ flags: ['--live-restore=false', '--shutdown-timeout', '3'] });

  it('stops its containers in order at SIGTERM, and starts again those that shall be', async () => {
    const polite = 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.1; done';
    await engine.ok('run', '-d', '--name', 'polite', 'busybox', 'sh', '-c', polite);
    await engine.ok(
      'run',
      '-d',
      '--name',
      'deaf',
      'busybox',
      'sh',
      '-c',
      'trap "" TERM; while :; do sleep 0.1; done',
    );
    await engine.ok('run', '-d', '--name', 'returns', '--restart', 'always', 'busybox', 'sleep', '600');
    await eventually(
      () => engine.ok('logs', 'polite'),
      (text) => text.includes('up'),
      'it is up',
    );
    const pids = await Promise.all(
      ['polite', 'deaf', 'returns'].map((name) => engine.inspect(name, '{{.State.Pid}}')),
    );
    assert.equal(await engine.stop(), 0);
    for (const pid of pids) assert.ok(!existsSync(`/proc/${pid}`), 'no container is left');
    await engine.run();
    assert.equal(await engine.inspect('polite', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 0');
    assert.equal(await engine.inspect('deaf', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 137');
    assert.match(await engine.ok('logs', 'polite'), /bye$/);
    await eventually(
      () => engine.inspect('returns', '{{.State.Status}}'),
      (seen) => seen === 'running',
      'it returns',
    );
    await engine.ok('rm', '-f', 'polite', 'deaf', 'returns');
  });
});

describe('wharfd over TCP', { skip: needsOwnDaemon }, () => {
  it('is refused without TLS', async () => {
    const daemon = new TestDaemon({ busybox: false, flags: ['--host', 'tcp://127.0.0.1:61999'] });
    try {
      const { code, stderr } = await execute(WHARFD, daemon.args());
      assert.notEqual(code, 0);
      assert.match(stderr, /TLS|tls/);
    } finally {
      await daemon.dispose();
    }
  });

  it('demands a client certificate of its CA', async () => {
    const port = 61_000 + Math.floor(Math.random() * 900);
    const flags = ['--host', `tcp://127.0.0.1:${port}`, '--tlsverify'];
    const daemon = new TestDaemon({ busybox: false, flags });
    const certs = join(daemon.temporary, 'certs');
    mkdirSync(certs);
    await makeCertificates(certs);
    for (const [flag, file] of [
      ['--tlscacert', 'ca.pem'],
      ['--tlscert', 'server-cert.pem'],
      ['--tlskey', 'server-key.pem'],
    ] as const)
      flags.push(flag, join(certs, file));
    chmodSync(join(certs, 'server-key.pem'), 0o600);
    try {
      await daemon.run();
      const tcp = ['-H', `tcp://127.0.0.1:${port}`];
      const trusted = ['--tlsverify', '--tlscacert', join(certs, 'ca.pem')];
      const identity = ['--tlscert', join(certs, 'cert.pem'), '--tlskey', join(certs, 'key.pem')];
      const stranger = [
        '--tlscert',
        join(certs, 'stranger-cert.pem'),
        '--tlskey',
        join(certs, 'stranger-key.pem'),
      ];
      const ask = (...args: string[]) =>
        execute(stockClient(), [...tcp, ...args, 'version', '--format', '{{.Server.Version}}'], {
          env: { DOCKER_HOST: '', DOCKER_CONFIG: certs },
        });
      const good = await ask(...trusted, ...identity);
      assert.equal(good.code, 0, good.stderr);
      assert.notEqual((await ask(...trusted, ...stranger)).code, 0);
      assert.notEqual((await ask()).code, 0);
      assert.equal((await daemon.api('GET', '/_ping')).status, 200);
      assert.ok(readFileSync(daemon.logFile, 'utf8').length > 0);
    } finally {
      await daemon.dispose();
    }
  });
});
