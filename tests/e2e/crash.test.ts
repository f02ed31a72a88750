import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually, needsOwnDaemon, useDaemon } from './support/index.ts';

/** Prints a number twenty times a second. */
const COUNTER = ['busybox', 'sh', '-c', 'i=0; while :; do i=$((i+1)); echo n$i; sleep 0.05; done'];

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a daemon that is killed', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const facts = (name: string) =>
    engine.inspect(
      name,
      '{{.State.Status}} {{.State.Pid}} {{.State.StartedAt}} {{.NetworkSettings.IPAddress}} {{.NetworkSettings.SandboxID}} {{.RestartCount}}',
    );
  const doctor = async () => {
    const { code, stdout, stderr } = await engine.wharf('doctor', '--verify');
    assert.equal(code, 0, stdout + stderr);
  };

  /** The monitor of a container has written down its end, for a daemon that comes later. */
  const ended = (id: string) =>
    eventually(() => existsSync(join(engine.execRoot, 'exits', id)), Boolean, 'the end is written down');
  const pidOf = async (name: string) => Number(await engine.inspect(name, '{{.State.Pid}}'));

  it('finds its containers as they were: pid, address, start, ports', async () => {
    await engine.ok('run', '-d', '--name', 'stays', '-p', '127.0.0.1::80', 'busybox', 'sleep', '600');
    const before = [await facts('stays'), await engine.ok('port', 'stays')];
    await engine.kill();
    await engine.run();
    assert.deepEqual([await facts('stays'), await engine.ok('port', 'stays')], before);
    assert.equal(await engine.ok('exec', 'stays', 'echo', 'alive'), 'alive');
    await doctor();
    assert.equal(await engine.ok('stop', '-t', '0', 'stays'), 'stays');
    assert.equal(await engine.inspect('stays', '{{.State.ExitCode}}'), '137');
    await engine.ok('rm', 'stays');
  });

  it('has every line of the log, once and in order', async () => {
    await engine.ok('run', '-d', '--name', 'counts', ...COUNTER);
    const log = await engine.inspect('counts', '{{.LogPath}}');
    const grows = () => {
      const { size } = statSync(log);
      return eventually(
        () => statSync(log).size,
        (now) => now > size + 200,
        'the log grows',
      );
    };
    for (let round = 0; round < 3; round++) {
      await grows();
      await engine.kill();
      await grows();
      await engine.run();
    }
    await grows();
    await engine.ok('kill', 'counts');
    await engine.ok('wait', 'counts');
    const lines = (await engine.ok('logs', 'counts')).split('\n');
    assert.ok(lines.length > 20, `${lines.length} lines`);
    lines.forEach((line, at) => {
      assert.equal(line, `n${at + 1}`);
    });
    await engine.ok('rm', 'counts');
  });

  it('learns exits that happened meanwhile, with the right code, once', async () => {
    const script = 'while [ ! -e /go ]; do sleep 0.05; done; echo last words; exit 42';
    const ends = await engine.ok('run', '-d', '--name', 'ends', 'busybox', 'sh', '-c', script);
    const dies = await engine.ok('run', '-d', '--name', 'dies', 'busybox', 'sleep', '600');
    const [endsPid, diesPid] = [await pidOf('ends'), await pidOf('dies')];
    const since = String(Date.now() / 1000);
    await engine.kill();
    writeFileSync(`/proc/${endsPid}/root/go`, '');
    process.kill(diesPid, 'SIGKILL');
    await Promise.all([ended(ends), ended(dies)]);
    const back = Date.now();
    await engine.run();
    assert.equal(await engine.inspect('ends', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 42');
    assert.equal(await engine.inspect('dies', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 137');
    assert.equal(await engine.ok('logs', 'ends'), 'last words');
    assert.equal(await engine.ok('wait', 'ends'), '42');
    const events = await engine.ok(
      'events',
      '--since',
      since,
      '--until',
      String(Date.now() / 1000),
      '--filter',
      'event=die',
      '--format',
      '{{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}',
    );
    assert.deepEqual(events.split('\n').sort(), ['dies 137', 'ends 42']);
    const finished = Date.parse(await engine.inspect('ends', '{{.State.FinishedAt}}'));
    const started = Date.parse(await engine.inspect('ends', '{{.State.StartedAt}}'));
    assert.ok(started < finished && finished < back, 'the end has the time at which it happened');
    await doctor();
    await engine.kill();
    await engine.run();
    assert.equal(await engine.inspect('ends', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 42');
    await engine.ok('rm', 'ends', 'dies');
  });

  it('removes --rm containers that ended meanwhile', async () => {
    const flags = ['--rm', '--name', 'gone', '-v', '/anonymous'];
    const id = await engine.ok('run', '-d', ...flags, 'busybox', 'sleep', '600');
    const pid = await pidOf('gone');
    await engine.kill();
    process.kill(pid, 'SIGKILL');
    await ended(id);
    await engine.run();
    await eventually(
      () => engine.ok('ps', '-aq', '--filter', 'name=gone'),
      (text) => text === '',
      'it is gone',
    );
    assert.equal(await engine.ok('volume', 'ls', '-q'), '');
    await doctor();
  });

  it('obeys restart policies: always comes back, a manual stop stays', async () => {
    await engine.ok('run', '-d', '--name', 'always', '--restart', 'always', 'busybox', 'sleep', '600');
    await engine.ok(
      'run',
      '-d',
      '--name',
      'unless',
      '--restart',
      'unless-stopped',
      'busybox',
      'sleep',
      '600',
    );
    await engine.ok(
      'run',
      '-d',
      '--name',
      'stopped',
      '--restart',
      'unless-stopped',
      'busybox',
      'sleep',
      '600',
    );
    await engine.ok('stop', '-t', '0', 'stopped');
    const names = ['always', 'unless'];
    const pids = await Promise.all(names.map(pidOf));
    const ids = await Promise.all(names.map((name) => engine.inspect(name, '{{.Id}}')));
    await engine.kill();
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await Promise.all(ids.map(ended));
    await engine.run();
    for (const name of names) {
      await eventually(
        () => engine.inspect(name, '{{.State.Status}}'),
        (seen) => seen === 'running',
        `${name} runs again`,
      );
      assert.ok(!pids.includes(await pidOf(name)));
    }
    assert.equal(await engine.inspect('stopped', '{{.State.Status}}'), 'exited');
    await engine.ok('rm', '-f', 'always', 'unless', 'stopped');
  });

  it('keeps a pause, a health check and what was created', async () => {
    await engine.ok('run', '-d', '--name', 'paused', 'busybox', 'sleep', '600');
    await engine.ok('pause', 'paused');
    await engine.ok(
      'run',
      '-d',
      '--name',
      'probed',
      '--health-cmd',
      'true',
      '--health-interval',
      '200ms',
      'busybox',
      'sleep',
      '600',
    );
    await engine.ok('create', '--name', 'waiting', 'busybox', 'echo', 'started at last');
    await engine.kill();
    await engine.run();
    assert.equal(await engine.inspect('paused', '{{.State.Status}}'), 'paused');
    await engine.ok('unpause', 'paused');
    assert.equal(await engine.ok('exec', 'paused', 'echo', 'awake'), 'awake');
    await eventually(
      () => engine.inspect('probed', '{{.State.Health.Status}}'),
      (seen) => seen === 'healthy',
      'healthy',
    );
    assert.equal(await engine.ok('start', '-a', 'waiting'), 'started at last');
    await engine.ok('rm', '-f', 'paused', 'probed', 'waiting');
  });

  it('survives kills in the middle of runs and leaves nothing', async () => {
    for (let round = 0; round < 6; round++) {
      const runs = Array.from({ length: 4 }, () => engine.docker('run', '--rm', 'busybox', 'true'));
      await pause(30 + 40 * round);
      await engine.kill();
      await Promise.all(runs);
      await engine.run();
    }
    await eventually(
      () => engine.ok('ps', '-a', '--format', '{{.Names}} {{.Status}}'),
      (text) => !/Up|Exited/.test(text),
      'nothing runs, and --rm was obeyed',
    );
    const created = (await engine.ok('ps', '-aq')).split('\n').filter(Boolean);
    if (created.length > 0) await engine.ok('rm', ...created);
    await doctor();
    assert.equal(await engine.ok('run', '--rm', 'busybox', 'echo', 'fine'), 'fine');
  });

  it('in the middle of attached runs only cuts the clients off', async () => {
    const session = engine.session(
      'run',
      '--name',
      'cut-off',
      'busybox',
      'sh',
      '-c',
      'echo up; sleep 1; echo done',
    );
    await session.until('up');
    await engine.kill();
    const { code } = await session.exited;
    assert.notEqual(code, 0);
    await engine.run();
    assert.equal(await engine.ok('wait', 'cut-off'), '0');
    assert.equal(await engine.ok('logs', 'cut-off'), 'up\ndone');
    await engine.ok('rm', 'cut-off');
  });
});

describe('a monitor that is killed', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();

  it('is noticed, and the container counts as ended', async () => {
    await engine.ok('run', '-d', '--name', 'orphaned', 'busybox', 'sleep', '600');
    const pid = Number(await engine.inspect('orphaned', '{{.State.Pid}}'));
    const parent = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    assert.match(readFileSync(`/proc/${parent}/comm`, 'utf8'), /conmon/);
    process.kill(parent, 'SIGKILL');
    await eventually(
      () => engine.inspect('orphaned', '{{.State.Status}}'),
      (seen) => seen === 'exited',
      'it counts as ended',
    );
    await eventually(
      () => existsSync(`/proc/${pid}`),
      (there) => !there,
      'no process is left without a monitor',
    );
    await engine.ok('start', 'orphaned');
    await engine.ok('rm', '-f', 'orphaned');
  });
});
