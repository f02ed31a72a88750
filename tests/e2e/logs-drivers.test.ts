import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually, execute, needsOwnDaemon, useDaemon } from './support/index.ts';
import { ForwardServer } from './support/log-server.ts';

const COUNT = 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo n$i; [ $((i % 100)) = 0 ] && sleep 0.05; done';
const NUMBERS = Array.from({ length: 3000 }, (_, at) => `n${at + 1}`);
const JOURNALD = '/lib/systemd/systemd-journald';
const RSYSLOG = '/usr/sbin/rsyslogd';

describe('lines for a log server', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const server = new ForwardServer();
  before(() => server.start());
  after(() => server.stop());

  const forward = (...more: string[]) => [
    ...['--log-driver', 'fluentd', '--log-opt', `fluentd-address=${server.address}`],
    ...['--log-opt', 'fluentd-request-ack=true', ...more.flatMap((one) => ['--log-opt', one])],
  ];

  it('arrive in order, and can still be read', async () => {
    server.lines.length = 0;
    await engine.ok(
      'run',
      '--name',
      'sent',
      ...forward('labels=team'),
      '--label',
      'team=blue',
      'busybox',
      'seq',
      '1',
      '500',
    );
    await eventually(
      () => server.lines.length,
      (count) => count === 500,
      'all lines are there',
    );
    assert.deepEqual(
      server.lines,
      Array.from({ length: 500 }, (_, at) => String(at + 1)),
    );
    assert.equal(await engine.ok('logs', '--tail', '2', 'sent'), '499\n500');
    assert.equal(await engine.inspect('sent', '{{.LogPath}}'), '');
    assert.equal(await engine.ok('logs', '--details', '--tail', '1', 'sent'), ' 500');
    await engine.ok('rm', 'sent');
  });

  it('of a container that is removed by itself arrive, too', async () => {
    server.lines.length = 0;
    await engine.ok('run', '--rm', ...forward(), 'busybox', 'seq', '1', '200');
    await eventually(
      () => server.lines.length,
      (count) => count === 200,
      'all lines are there',
    );
  });

  it('are not kept where that is not wanted', async () => {
    await engine.ok('run', '--name', 'uncached', ...forward('cache-disabled=true'), 'busybox', 'echo', 'x');
    const { stderr } = await engine.docker('logs', 'uncached');
    assert.match(stderr, /configured logging driver does not support reading/);
    await engine.ok('rm', 'uncached');
  });

  it('that is away when they are printed arrive when it is back', async () => {
    server.lines.length = 0;
    await engine.ok(
      'run',
      '-d',
      '--name',
      'patient',
      ...forward(),
      'busybox',
      'sh',
      '-c',
      `sleep 0.3; ${COUNT}`,
    );
    await server.stop();
    assert.equal(await engine.ok('wait', 'patient'), '0');
    const { stdout } = await engine.docker('info', '--format', '{{json .Warnings}}');
    assert.match(stdout, /log driver fluentd of container patient/);
    await server.start();
    await eventually(
      () => server.lines.length,
      (count) => count >= 3000,
      'all lines are there',
      20_000,
    );
    assert.deepEqual(server.lines, NUMBERS);
    await engine.ok('rm', 'patient');
  });

  it('arrive over deaths of the daemon, at most one batch of them twice', async () => {
    server.lines.length = 0;
    await engine.ok('run', '-d', '--name', 'steady', ...forward(), 'busybox', 'sh', '-c', COUNT);
    for (let round = 0; round < 3; round++) {
      await eventually(
        () => server.lines.length,
        (count) => count > 400 * (round + 1),
        'lines come',
      );
      await engine.kill();
      await engine.run();
    }
    await engine.ok('wait', 'steady');
    await eventually(
      () => server.lines.at(-1),
      (line) => line === 'n3000',
      'the last line is there',
      20_000,
    );
    assert.deepEqual([...new Set(server.lines)], NUMBERS, 'none is lost');
    assert.ok(server.lines.length < 3000 + 3 * 1300, `${server.lines.length} lines came`);
    await engine.ok('rm', 'steady');
  });

  it('that hangs stop neither the container, nor the daemon, nor its end', async () => {
    server.hangs = true;
    await server.stop();
    await server.start();
    const flood = 'yes 0123456789012345678901234567890123456789 | head -n 400000';
    await engine.ok('run', '-d', '--name', 'stuck', ...forward(), 'busybox', 'sh', '-c', flood);
    assert.equal(await engine.ok('wait', 'stuck'), '0');
    const begun = performance.now();
    await engine.stop();
    assert.ok(performance.now() - begun < 10_000, 'the daemon ends');
    await engine.run();
    await engine.ok('rm', 'stuck');
    server.hangs = false;
    await server.stop();
    await server.start();
  });

  it('that is not there refuses a start in the words of the reference', async () => {
    const { code, stderr } = await engine.docker(
      ...[
        'run',
        '--name',
        'refused',
        '--log-driver',
        'syslog',
        '--log-opt',
        'syslog-address=tcp://127.0.0.1:1',
        'busybox',
        'true',
      ],
    );
    assert.equal(code, 125);
    assert.match(
      stderr,
      /failed to initialize logging driver: dial tcp 127\.0\.0\.1:1: connect: connection refused/,
    );
    await engine.ok('rm', 'refused');
  });
});

describe('syslog of Debian', {
  skip: needsOwnDaemon || (existsSync(RSYSLOG) ? false : 'no rsyslogd'),
}, () => {
  const engine = useDaemon();
  const folder = mkdtempSync(join(tmpdir(), 'wharf-rsyslog-'));
  const port = randomInt(20_000, 30_000);
  const received = () => (existsSync(`${folder}/all`) ? readFileSync(`${folder}/all`, 'utf8') : '');
  let child: ReturnType<typeof spawn> | undefined;

  before(async () => {
    writeFileSync(
      `${folder}/conf`,
      [
        `global(workDirectory="${folder}")`,
        'module(load="imtcp") module(load="imudp") module(load="imuxsock" SysSock.Use="off")',
        `input(type="imtcp" port="${port}") input(type="imudp" port="${port}")`,
        `input(type="imuxsock" Socket="${folder}/sock")`,
        'template(name="t" type="string" string="%syslogfacility-text%.%syslogseverity-text% %programname% %hostname%:%msg%\\n")',
        `action(type="omfile" file="${folder}/all" template="t")`,
      ].join('\n'),
    );
    child = spawn(RSYSLOG, ['-n', '-f', `${folder}/conf`, '-i', `${folder}/pid`], { stdio: 'ignore' });
    await eventually(() => existsSync(`${folder}/sock`), Boolean, 'rsyslogd listens');
  });
  after(() => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [address, format] of [
    [`tcp://127.0.0.1:${port}`, 'rfc5424'],
    [`tcp://127.0.0.1:${port}`, 'rfc3164'],
    [`udp://127.0.0.1:${port}`, 'rfc5424micro'],
    [`udp://127.0.0.1:${port}`, ''],
    [`unixgram://${folder}/sock`, ''],
  ] as const) {
    it(`understands what comes by ${address.split(':')[0]}${format ? ` in the form ${format}` : ''}`, async () => {
      writeFileSync(`${folder}/all`, '');
      const options = [
        `syslog-address=${address}`,
        `syslog-format=${format}`,
        'syslog-facility=local3',
        'tag=web',
      ];
      const flags = options.flatMap((option) => ['--log-opt', option]);
      const script = 'echo one; echo two >&2; echo three';
      await engine.docker('run', '--rm', '--log-driver', 'syslog', ...flags, 'busybox', 'sh', '-c', script);
      await eventually(received, (text) => text.split('\n').length === 4, 'three lines are there');
      const lines = received()
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/ [^ ]*: ?/, ' ').replace(/\.notice/, '.info'));
      assert.deepEqual(lines.sort(), ['local3.err web two', 'local3.info web one', 'local3.info web three']);
    });
  }
});

describe('the journal of systemd', {
  skip: needsOwnDaemon || (existsSync(JOURNALD) ? false : 'no journald'),
}, () => {
  // A journal of its own, in a mount namespace that the daemon shares with it.
  const folder = mkdtempSync(join(tmpdir(), 'wharf-journal-'));
  const script = [
    'mkdir -p /run/systemd /run/log; mount -t tmpfs tmpfs /run/systemd; mount -t tmpfs tmpfs /run/log',
    `mkdir /run/systemd/journal /run/log/journal; ${JOURNALD} >/dev/null 2>&1 & echo $! >${folder}/pid`,
    'while ! [ -S /run/systemd/journal/socket ]; do sleep 0.02; done; exec "$@"',
  ].join('\n');
  const engine = useDaemon({ launcher: ['unshare', '-m', 'sh', '-c', script, 'sh'] });
  after(() => {
    process.kill(Number(readFileSync(`${folder}/pid`, 'utf8')), 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  it('has the lines with the fields that name the container', async () => {
    const options = ['labels=team', 'tag={{.Name}}'].flatMap((option) => ['--log-opt', option]);
    const print = 'echo one; echo two >&2; head -c 100000 /dev/zero | tr "\\0" x; echo';
    const flags = ['--name', 'web', '--label', 'team=blue', '--log-driver', 'journald', ...options];
    await engine.docker('run', ...flags, 'busybox', 'sh', '-c', print);
    const entries = () => journal(`/proc/${engine.pid}/root/run/log/journal`);
    await eventually(entries, (all) => all.length >= 9, 'the lines are in the journal');
    const all = await entries();
    const brief = all.map(({ MESSAGE, PRIORITY, CONTAINER_TAG, TEAM }) => [
      MESSAGE,
      PRIORITY,
      CONTAINER_TAG,
      TEAM,
    ]);
    assert.ok(brief.some((one) => one.join() === 'one,6,web,blue'));
    assert.ok(brief.some((one) => one.join() === 'two,3,web,blue'));
    const long = all.filter(({ CONTAINER_PARTIAL_MESSAGE: partial }) => partial === 'true');
    assert.equal(long.map(({ MESSAGE }) => MESSAGE).join(''), 'x'.repeat(100_000));
    assert.equal(new Set(long.map(({ CONTAINER_PARTIAL_ID: id }) => id)).size, 1);
    assert.equal((await engine.docker('logs', 'web')).stdout.length, 100_005);
    await engine.ok('rm', 'web');
  });
});

async function journal(directory: string): Promise<Record<string, string>[]> {
  const args = [
    '-D',
    directory,
    '-o',
    'json',
    '--all',
    '--no-pager',
    '_TRANSPORT=journal',
    'SYSLOG_IDENTIFIER=web',
  ];
  const { stdout } = await execute('journalctl', args);
  return stdout
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, string>]));
}

describe('a full disk', { skip: needsOwnDaemon }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-full-'));
  const data = join(folder, 'data');
  before(async () => {
    mkdirSync(data);
    const { code } = await execute('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', data]);
    assert.equal(code, 0);
  });
  const engine = useDaemon({ dataRoot: data });
  after(async () => {
    await execute('umount', [data]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('stops no container; what is lost is counted and told, and the rest reads well', async () => {
    const print = (name: string) => `i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo ${name} $i; done`;
    await engine.ok(
      ...['run', '-d', '--name', 'printer', '-v', '/hold', 'busybox', 'sh', '-c'],
      `echo begun; while ! [ -e /hold/go ]; do sleep 0.05; done; ${print('lost')}; while ! [ -e /hold/again ]; do sleep 0.05; done; ${print('kept')}; sleep 60`,
    );
    await eventually(
      () => engine.ok('logs', 'printer'),
      (text) => text === 'begun',
      'it prints',
    );
    // The folder of the volume is there; the files in it need no block of their own.
    const volume = await engine.inspect('printer', '{{(index .Mounts 0).Source}}');
    await new Promise((resolve) => setTimeout(resolve, 600));
    await execute('sh', ['-c', `cat /dev/zero > ${data}/fill 2>/dev/null; touch ${volume}/go`]);
    await eventually(
      () => engine.log(),
      (text) => text.includes('the disk is full'),
      'it is told',
    );
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal(await engine.inspect('printer', '{{.State.Status}}'), 'running');
    rmSync(`${data}/fill`);
    await eventually(
      () => engine.log(),
      (text) => text.includes('there is room on the disk again'),
      'its end is told',
    );
    writeFileSync(`${volume}/again`, '');
    await eventually(
      () => engine.ok('logs', '--tail', '1', 'printer'),
      (text) => text === 'kept 20000',
      'it goes on',
    );
    const lines = (await engine.ok('logs', 'printer')).split('\n');
    const lost = lines.filter((line) => line.startsWith('lost'));
    assert.ok(lost.length < 20_000, 'some lines found no room');
    const kept = lines.filter((line) => line.startsWith('kept'));
    assert.deepEqual(
      kept,
      Array.from({ length: 20_000 }, (_, at) => `kept ${at + 1}`),
    );
    // Each line is `lost N` or, torn by the full disk, the beginning of one.
    for (const line of lines.slice(1, lost.length)) assert.match(line, /^lost \d+$/);
    const printed = Array.from({ length: 20_000 }, (_, at) => `lost ${at + 1}\n`.length).reduce(
      (a, b) => a + b,
    );
    const missing = printed - lost.reduce((sum, line) => sum + line.length + 1, 0);
    const { stdout } = await engine.docker('info', '--format', '{{json .Warnings}}');
    const told = Number(/a full disk took about (\d+) bytes/.exec(stdout)?.[1]);
    assert.ok(Math.abs(told - missing) < 2000 + missing / 20, `${told} are told, ${missing} are missing`);
    await engine.ok('rm', '-f', '-v', 'printer');
  });
});
