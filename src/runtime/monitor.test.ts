import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import { mkfifo, openPidfd, pidfdExited } from '../sys/index.ts';
import { anticipateMove, parseGroups } from './anticipate.ts';
import { resizeTerminal, writeNow } from './fifo.ts';
import { parseAnswer, startMonitor } from './monitor.ts';
import { runtimeProgram } from './runtime-program.ts';
import { lostExit, monitorEnd, readExit } from './task-exit.ts';
import { monitorArgs, runRuntime, signalProcess, startTicks } from './task-place.ts';

let root = '';
before(() => {
  root = mkdtempSync(join(tmpdir(), 'wharf-monitor-'));
});
after(() => rmSync(root, { recursive: true, force: true }));

/** A script in the place of conmon; fd 3 is its sync pipe. */
function monitor(name: string, script: string): string {
  const path = `${root}/${name}`;
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const message = (work: Promise<unknown>) =>
  work.then(
    () => 'no failure',
    (thrown: Error) => thrown.message,
  );

describe('startMonitor', () => {
  it('gives what the monitor says, and its end', async () => {
    const conmon = monitor('good', 'echo \'{"data": 4711}\' >&3; exec 3>&-; sleep 0.05; : > ended');
    const { pid, monitorPid, ended } = await startMonitor({ conmon, args: [], cwd: root });
    assert.equal(pid, 4711);
    assert.ok(monitorPid > 0);
    assert.equal(existsSync(`${root}/ended`), false);
    await ended;
    assert.equal(existsSync(`${root}/ended`), true);
  });

  it('reads an answer that comes in pieces', async () => {
    const conmon = monitor(
      'slow',
      "printf '{\"da' >&3; sleep 0.02; printf 'ta\": 12}' >&3; sleep 0.02; echo >&3",
    );
    assert.equal((await startMonitor({ conmon, args: [], cwd: root })).pid, 12);
  });

  it("fails with the runtime's text, and leaves no process", async () => {
    const conmon = monitor(
      'bad',
      'echo $$ > pid; printf %s\\\\n \'{"data": -1, "message": "no way"}\' >&3; sleep 60',
    );
    assert.equal(await message(startMonitor({ conmon, args: [], cwd: root })), 'no way');
    const pid = Number(readFileSync(`${root}/pid`, 'utf8'));
    assert.equal(existsSync(`/proc/${pid}`), false);
  });

  it('fails when the monitor ends without an answer, or talks nonsense', async () => {
    assert.equal(await message(startMonitor({ conmon: monitor('mute', 'exit 1'), args: [], cwd: root })), '');
    const odd = monitor('odd', 'echo segmentation fault >&3');
    assert.equal(await message(startMonitor({ conmon: odd, args: [], cwd: root })), 'segmentation fault');
  });

  it('fails when there is no such program', async () => {
    await assert.rejects(startMonitor({ conmon: '/no/such/conmon', args: [], cwd: root }));
  });

  it('ends with the signal, and what the monitor started with it', async () => {
    const conmon = monitor('hang', 'sleep 60 & echo $! > child; wait');
    const controller = new AbortController();
    const started = startMonitor({ conmon, args: [], cwd: root, signal: controller.signal });
    while (!existsSync(`${root}/child`) || readFileSync(`${root}/child`, 'utf8') === '')
      await new Promise((resolve) => setTimeout(resolve, 5));
    using child = openPidfd(Number(readFileSync(`${root}/child`, 'utf8')));
    controller.abort();
    await assert.rejects(started, (thrown) => isKind(thrown, 'cancelled'));
    await pidfdExited(child);
  });

  it('ends with its deadline when the runtime never answers', async () => {
    const conmon = monitor('stuck', 'echo $$ > stuck-pid; printf "{" >&3; sleep 60');
    const started = startMonitor({ conmon, args: [], cwd: root, answerLimit: 200 });
    await assert.rejects(started, { kind: 'timeout', message: 'the runtime did not answer within 0.2 s' });
    const pid = existsSync(`${root}/stuck-pid`) && readFileSync(`${root}/stuck-pid`, 'utf8').trim();
    assert.ok(!pid || !existsSync(`/proc/${pid}`));
  });

  it('attaches before the process runs', async () => {
    const script = [
      'dd bs=1 count=1 <&5 2>/dev/null >/dev/null',
      'printf x >&4',
      'dd bs=1 count=1 <&5 2>/dev/null >/dev/null',
      '[ -e attached ] && echo \'{"data": 7}\' >&3',
    ];
    const onAttachable = () => writeFileSync(`${root}/attached`, '');
    const conmon = monitor('gate', script.join('\n'));
    const started = await startMonitor({ conmon, args: [], cwd: root, onAttachable });
    assert.equal(started.pid, 7);
    await started.ended;
  });

  it('does not hang when nothing can be attached', async () => {
    const onAttachable = () => assert.fail('never called');
    assert.equal(
      await message(startMonitor({ conmon: monitor('gate3', 'exit 1'), args: [], cwd: root, onAttachable })),
      '',
    );
    const failing = () => {
      throw new Error('no socket');
    };
    const late = monitor('gate4', 'printf x >&4; cat <&5 >/dev/null; exit 1');
    assert.equal(
      await message(startMonitor({ conmon: late, args: [], cwd: root, onAttachable: failing })),
      '',
    );
  });
});

describe('parseAnswer', () => {
  it('takes answers and calls all else a failure', () => {
    assert.deepEqual(parseAnswer('{"data": 5}\n'), { data: 5, message: '' });
    assert.deepEqual(parseAnswer('{"data": -1, "message": " text\\n"}\n'), { data: -1, message: 'text' });
    assert.deepEqual(parseAnswer('{"data": "5"}\n'), { data: -1, message: '{"data": "5"}' });
    assert.deepEqual(parseAnswer(''), { data: -1, message: '' });
  });
});

describe('exits', () => {
  it('come from the file, with its time', async () => {
    const file = `${root}/exit`;
    writeFileSync(file, '137');
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    const exit = await readExit(file, root);
    assert.deepEqual(exit, { code: 137, at: 1_700_000_000_000_000_000n, oomKilled: false });
    writeFileSync(`${root}/oom`, '');
    assert.equal((await readExit(file, root))?.oomKilled, true);
  });

  it('are unknown without a file, or with a broken one', async () => {
    assert.equal(await readExit(`${root}/none`, root), undefined);
    writeFileSync(`${root}/broken`, '');
    assert.equal(await readExit(`${root}/broken`, root), undefined);
    assert.deepEqual({ ...lostExit(), at: 0n }, { code: 255, at: 0n, oomKilled: false, lost: true });
  });

  it('do not wait for a stranger that got the pid of a monitor', async () => {
    await monitorEnd(process.pid, root);
    await monitorEnd(2 ** 22 - 1, root);
  });
});

describe('signalProcess', () => {
  it('signals the process that was started and no other', () => {
    const ticks = startTicks(process.pid);
    assert.equal(signalProcess({ pid: process.pid, ticks }, 0), true);
    assert.equal(signalProcess({ pid: process.pid, ticks: '1' }, 0), false);
    assert.equal(signalProcess({ pid: process.pid, ticks: '' }, 0), false);
    assert.equal(signalProcess({ pid: 0, ticks }, 0), false);
    assert.equal(signalProcess({ pid: 2 ** 22 - 1, ticks: '' }, 0), false);
    assert.equal(startTicks(2 ** 22 - 1), '');
  });
});

describe('runtimeProgram', () => {
  it('is a sealed copy of crun, renewed when the file changes', () => {
    const path = `${root}/crun`;
    writeFileSync(path, readFileSync('/usr/bin/crun'));
    const first = runtimeProgram({ name: 'crun', path, args: [] });
    assert.equal(first.crun, true);
    assert.match(first.path, /^\/proc\/\d+\/fd\/\d+$/);
    assert.equal(runtimeProgram({ name: 'crun', path, args: [] }), first);
    assert.throws(() => writeFileSync(first.path, 'overwritten'), { code: 'EPERM' });
    writeFileSync(path, Buffer.concat([readFileSync('/usr/bin/crun'), Buffer.from('newer')]));
    const second = runtimeProgram({ name: 'crun', path, args: [] });
    assert.notEqual(second, first);
    assert.ok(readFileSync(second.path).toString('latin1').endsWith('newer'));
  });

  it('says what a program of that name can do by its content', () => {
    const path = `${root}/old-crun`;
    const old = Buffer.from(
      readFileSync('/usr/bin/crun').toString('latin1').replaceAll('seccomp_bpf_data', 'seccomp_bpf_dat_'),
      'latin1',
    );
    writeFileSync(path, old);
    assert.equal(runtimeProgram({ name: 'crun', path, args: [] }).readyFilters, false);
    assert.equal(runtimeProgram({ name: 'crun', path: '/usr/bin/crun', args: [] }).readyFilters, true);
  });

  it('is the file itself for others, for wrappers and for what is not there', () => {
    const wrapper = monitor('wrapper', 'exec crun "$@"');
    for (const [name, path] of [
      ['runc', '/usr/bin/runc'],
      ['crun', wrapper],
      ['crun', '/no/such/crun'],
    ] as const) {
      assert.deepEqual(runtimeProgram({ name, path, args: [] }), { path, readyFilters: false, crun: false });
    }
  });
});

describe('runtimes and monitors are called', () => {
  const place = (path: string, args: string[] = []) => ({
    bundle: `${root}/b`,
    exits: `${root}/exits`,
    runtimeRoot: `${root}/state`,
    conmon: 'conmon',
    runtime: { name: 'other', path, args },
  });

  it('with their own arguments first, and nothing of our environment', async () => {
    const runtime = monitor(
      'runtime',
      `echo "$*" > ${root}/said; env | cut -d= -f1 | sort | tr '\\n' ' ' >> ${root}/said`,
    );
    await runRuntime(place(runtime, ['--debug']), ['delete', 'x']);
    const said = readFileSync(`${root}/said`, 'utf8');
    assert.match(said, new RegExp(`^--root=${root}/state --debug delete x\n`));
    assert.match(said, /\n(OLDPWD )?PATH PWD (SHLVL )?(_ )?$/);
    assert.match(
      await message(runRuntime(place(monitor('no', 'exit 3')), ['start', 'x'])),
      /^other start failed with 3$/,
    );
    assert.match(await message(runRuntime(place(monitor('die', 'kill -9 $$')), ['start', 'x'])), /signal 9$/);
    const stuck = runRuntime({ ...place(monitor('wait', 'sleep 60')), answerLimit: 50 }, ['delete', 'x']);
    await assert.rejects(stuck, {
      kind: 'timeout',
      message: 'the runtime other did not answer within 0.05 s',
    });
  });

  it('conmon with every argument of the runtime', () => {
    const args = monitorArgs(place('/usr/bin/other', ['--one', '--two']), 'id', '/b', '/e').join(' ');
    assert.match(args, /--runtime-arg --root=\S+\/state --runtime-arg --one --runtime-arg --two$/);
    assert.match(
      args,
      /-r \/usr\/bin\/other -b \/b -p \/b\/pid --exit-dir \/e -0 \/b --full-attach --no-sync-log/,
    );
  });
});

describe('fifos', () => {
  it('are written only when somebody reads', () => {
    const fifo = `${root}/ctl`;
    assert.throws(
      () => resizeTerminal(root, 1, 2),
      (thrown) => isKind(thrown, 'not-found'),
    );
    mkfifo(fifo, 0o600);
    assert.throws(
      () => resizeTerminal(root, 1, 2),
      (thrown) => isKind(thrown, 'not-found'),
    );
    assert.throws(
      () => writeNow(root, Buffer.alloc(1)),
      (thrown) => isKind(thrown, 'internal'),
    );
  });
});

describe('anticipateMove', () => {
  it('never fails', () => {
    anticipateMove();
    anticipateMove();
  });

  it('reads groups of both versions', () => {
    assert.deepEqual(parseGroups('5:cpu,cpuacct:/a:b\n1:name=systemd:/\n0::/c\nnonsense\n'), [
      ['cpu', '/a:b'],
      ['name=systemd', '/'],
      ['', '/c'],
    ]);
  });
});
