import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, useDaemon } from './support/index.ts';

/** A program that says when it is up and ends by SIGTERM with a code of its own. */
const POLITE = ['sh', '-c', 'trap "echo bye; exit 7" TERM; echo up; while :; do sleep 0.1; done'];

describe('the life of a container', () => {
  const engine = useDaemon();
  const state = (name: string) => engine.inspect(name, '{{.State.Status}} {{.State.ExitCode}}');
  const status = (name: string, wanted: string) =>
    eventually(
      () => engine.inspect(name, '{{.State.Status}}'),
      (seen) => seen === wanted,
      `${name} ${wanted}`,
    );
  const upped = (name: string) =>
    eventually(
      () => engine.ok('logs', name),
      (text) => text.includes('up'),
      `${name} is up`,
    );

  it('goes through create, start, stop, start again and rm', async () => {
    await engine.ok('create', '--name', 'life', 'busybox', ...POLITE);
    assert.equal(await state('life'), 'created 0');
    assert.equal(await engine.ok('start', 'life'), 'life');
    assert.equal(await state('life'), 'running 0');
    await upped('life');
    assert.equal(await engine.ok('stop', 'life'), 'life');
    assert.equal(await state('life'), 'exited 7');
    await engine.ok('start', 'life');
    assert.equal(await state('life'), 'running 0');
    const refused = await engine.docker('rm', 'life');
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /cannot remove container "life": container is running: stop the container before removing or force remove/,
    );
    await engine.ok('rm', '-f', 'life');
    assert.match((await engine.docker('start', 'life')).stderr, /No such container: life/);
  });

  it('kills what does not stop within its time', async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      'deaf',
      'busybox',
      'sh',
      '-c',
      'trap "echo asked" TERM; echo up; while :; do sleep 0.1; done',
    );
    await upped('deaf');
    await engine.ok('stop', '-t', '2', 'deaf');
    assert.equal(await state('deaf'), 'exited 137');
    assert.equal(await engine.ok('logs', 'deaf'), 'up\nasked', 'it had time to answer');
    await engine.ok('rm', 'deaf');
  });

  it('stops with the signal that is asked for', async () => {
    const script = 'trap "exit 5" USR1; trap "exit 6" INT; echo up; while :; do sleep 0.1; done';
    for (const [flags, code] of [
      [['--signal', 'INT'], 6],
      [[], 5],
    ] as const) {
      await engine.ok(
        'run',
        '-d',
        '--name',
        'signals',
        '--stop-signal',
        'SIGUSR1',
        'busybox',
        'sh',
        '-c',
        script,
      );
      await upped('signals');
      await engine.ok('stop', ...flags, 'signals');
      assert.equal(await state('signals'), `exited ${code}`);
      await engine.ok('rm', 'signals');
    }
  });

  it('sends signals by name and number', async () => {
    const script = 'trap "echo got usr1" USR1; trap "echo got hup" HUP; echo up; while :; do sleep 0.1; done';
    await engine.ok('run', '-d', '--name', 'kills', 'busybox', 'sh', '-c', script);
    await upped('kills');
    await engine.ok('kill', '-s', 'USR1', 'kills');
    await eventually(
      () => engine.ok('logs', 'kills'),
      (text) => text.includes('got usr1'),
      'SIGUSR1',
    );
    await engine.ok('kill', '-s', '1', 'kills');
    await eventually(
      () => engine.ok('logs', 'kills'),
      (text) => text.includes('got hup'),
      'SIGHUP',
    );
    assert.match((await engine.docker('kill', '-s', 'NOSUCH', 'kills')).stderr, /invalid signal: NOSUCH/i);
    await engine.ok('kill', 'kills');
    await status('kills', 'exited');
    assert.equal(await state('kills'), 'exited 137');
    assert.match((await engine.docker('kill', 'kills')).stderr, /is not running/);
    await engine.ok('rm', 'kills');
  });

  it('restarts what runs and what does not', async () => {
    await engine.ok('run', '-d', '--name', 'again', 'busybox', ...POLITE);
    await upped('again');
    const pid = await engine.inspect('again', '{{.State.Pid}}');
    await engine.ok('restart', 'again');
    assert.notEqual(await engine.inspect('again', '{{.State.Pid}}'), pid);
    await engine.ok('stop', 'again');
    await engine.ok('restart', 'again');
    assert.equal(await state('again'), 'running 0');
    await engine.ok('rm', '-f', 'again');
  });

  it('pauses and resumes', async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      'still',
      'busybox',
      'sh',
      '-c',
      'while :; do date +%s%N; sleep 0.02; done',
    );
    await engine.ok('pause', 'still');
    assert.equal(await state('still'), 'paused 0');
    const before = await engine.ok('logs', 'still');
    assert.match(await engine.ok('ps', '--filter', 'name=still', '--format', '{{.Status}}'), /\(Paused\)$/);
    assert.match(
      (await engine.docker('exec', 'still', 'true')).stderr,
      /is paused, unpause the container before exec/,
    );
    assert.match((await engine.docker('pause', 'still')).stderr, /already paused/);
    assert.equal(await engine.ok('logs', 'still'), before);
    await engine.ok('unpause', 'still');
    await eventually(
      () => engine.ok('logs', 'still'),
      (text) => text.length > before.length,
      'it goes on',
    );
    assert.match((await engine.docker('unpause', 'still')).stderr, /is not paused/);
    await engine.ok('rm', '-f', 'still');
  });

  it('waits for the end, the next end and the removal', async () => {
    await engine.ok('create', '--name', 'awaited', 'busybox', 'sh', '-c', 'sleep 0.3; exit 9');
    assert.equal(await engine.ok('wait', 'awaited'), '0');
    const next = engine.api('POST', '/containers/awaited/wait?condition=next-exit');
    const removed = engine.api('POST', '/containers/awaited/wait?condition=removed');
    await engine.ok('start', 'awaited');
    assert.equal(await engine.ok('wait', 'awaited'), '9');
    assert.deepEqual(JSON.parse((await next).text), { StatusCode: 9 });
    await engine.ok('rm', 'awaited');
    assert.equal(JSON.parse((await removed).text).StatusCode, 9);
  });

  it('renames', async () => {
    await engine.ok('create', '--name', 'old-name', 'busybox');
    await engine.ok('create', '--name', 'taken', 'busybox');
    assert.match(
      (await engine.docker('rename', 'old-name', 'taken')).stderr,
      /is already in use by container/,
    );
    await engine.ok('rename', 'old-name', 'new-name');
    assert.equal(await engine.inspect('new-name', '{{.Name}}'), '/new-name');
    assert.equal((await engine.docker('inspect', 'old-name')).code, 1);
    await engine.ok('rm', 'new-name', 'taken');
  });

  it('updates limits while it runs', async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      'limits',
      '--memory',
      '64m',
      '--memory-swap',
      '64m',
      'busybox',
      'sleep',
      '60',
    );
    await engine.ok('update', '--memory', '96m', '--memory-swap', '96m', '--pids-limit', '77', 'limits');
    const shown = await engine.inspect('limits', '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}');
    assert.equal(shown, `${96 << 20} 77`);
    const inside =
      'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max';
    assert.equal(await engine.ok('exec', 'limits', 'sh', '-c', inside), `${96 << 20}\n77`);
    await engine.ok('update', '--restart', 'on-failure:3', 'limits');
    assert.equal(
      await engine.inspect(
        'limits',
        '{{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy.MaximumRetryCount}}',
      ),
      'on-failure:3',
    );
    await engine.ok('rm', '-f', 'limits');
  });

  it('prunes what has ended, and only that', async () => {
    await engine.ok('run', '-d', '--name', 'kept', '--label', 'prune=1', 'busybox', 'sleep', '60');
    await engine.ok('run', '--name', 'pruned', '--label', 'prune=1', 'busybox', 'true');
    await engine.ok('container', 'prune', '--force', '--filter', 'label=prune=1');
    assert.equal(await engine.ok('ps', '-a', '--filter', 'label=prune=1', '--format', '{{.Names}}'), 'kept');
    await engine.ok('rm', '-f', 'kept');
  });
});

describe('restart policies', () => {
  const engine = useDaemon();
  const restarts = (name: string) =>
    engine.inspect(name, '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}');

  it('on-failure tries as often as allowed', async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      'fails',
      '--restart',
      'on-failure:2',
      'busybox',
      'sh',
      '-c',
      'echo try; exit 3',
    );
    await eventually(
      () => restarts('fails'),
      (seen) => seen === '2 exited 3',
      'two restarts',
    );
    assert.equal(await engine.ok('logs', 'fails'), 'try\ntry\ntry');
    await engine.ok('rm', 'fails');
  });

  it('on-failure leaves success alone', async () => {
    await engine.ok('run', '-d', '--name', 'succeeds', '--restart', 'on-failure', 'busybox', 'true');
    assert.equal(await engine.ok('wait', 'succeeds'), '0');
    assert.equal(await restarts('succeeds'), '0 exited 0');
    await engine.ok('rm', 'succeeds');
  });

  it('always starts again until it is stopped by hand', async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      'always',
      '--restart',
      'always',
      'busybox',
      'sh',
      '-c',
      'echo try; sleep 0.1',
    );
    await eventually(
      () => engine.inspect('always', '{{.RestartCount}}'),
      (count) => Number(count) >= 2,
      'two restarts',
    );
    await engine.ok('stop', 'always');
    const count = await restarts('always');
    assert.match(count, /exited/);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal(await restarts('always'), count);
    await engine.ok('rm', 'always');
  });

  it('a restart policy and --rm exclude each other', async () => {
    const { code, stderr } = await engine.docker('run', '--rm', '--restart', 'always', 'busybox', 'true');
    assert.equal(code, 125);
    assert.match(stderr, /conflicting options/i);
  });
});

describe('health checks', () => {
  const engine = useDaemon();
  const health = (name: string) => engine.inspect(name, '{{.State.Health.Status}}');
  const quick = ['--health-interval', '100ms', '--health-timeout', '2s', '--health-retries', '2'];

  it('turn healthy, then unhealthy, and keep a log', async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      'sick',
      ...quick,
      '--health-cmd',
      'echo probe; test ! -e /tmp/sick',
      'busybox',
      'sleep',
      '60',
    );
    await eventually(
      () => health('sick'),
      (seen) => seen === 'healthy',
      'healthy',
    );
    assert.match(await engine.ok('ps', '--filter', 'name=sick', '--format', '{{.Status}}'), /\(healthy\)$/);
    await engine.ok('exec', 'sick', 'touch', '/tmp/sick');
    await eventually(
      () => health('sick'),
      (seen) => seen === 'unhealthy',
      'unhealthy',
    );
    const log = JSON.parse(await engine.inspect('sick', '{{json .State.Health}}'));
    assert.ok(log.FailingStreak >= 2);
    assert.ok(log.Log.length <= 5);
    assert.equal(log.Log.at(-1).ExitCode, 1);
    assert.equal(log.Log.at(-1).Output, 'probe\n');
    await engine.ok('rm', '-f', 'sick');
  });

  it('count a probe that takes too long as failed', async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      'slow',
      '--health-interval',
      '100ms',
      '--health-timeout',
      '300ms',
      '--health-retries',
      '1',
      '--health-cmd',
      'sleep 30',
      'busybox',
      'sleep',
      '60',
    );
    await eventually(
      () => health('slow'),
      (seen) => seen === 'unhealthy',
      'unhealthy',
    );
    const last = JSON.parse(await engine.inspect('slow', '{{json (index .State.Health.Log 0)}}'));
    assert.equal(last.ExitCode, -1);
    assert.match(last.Output, /Health check exceeded timeout \(300ms\)/);
    await engine.ok('rm', '-f', 'slow');
  });

  it('are absent with --no-healthcheck', async () => {
    await engine.ok('run', '-d', '--name', 'unchecked', '--no-healthcheck', 'busybox', 'sleep', '60');
    assert.equal(await engine.inspect('unchecked', '{{json .State.Health}}'), 'null');
    await engine.ok('rm', '-f', 'unchecked');
  });
});
