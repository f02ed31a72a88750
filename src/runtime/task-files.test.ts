import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import { Fd, mkfifo } from '../sys/index.ts';
import { reopenLog, resizeTerminal, tell, writeNow } from './fifo.ts';
import { lostExit, monitorEnd, REFUSED, readExit } from './task-exit.ts';
import { monitorArgs, runRuntime, signalProcess, startTicks, type TaskPlace } from './task-place.ts';

const NO_PID = 2 ** 22 - 1;
let base: string;
let children: ChildProcess[];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-task-files-'));
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(base, { recursive: true, force: true });
});

const descriptors = () => readdirSync('/proc/self/fd').length;

/** Starts a process of the test's own; `ended` tells by which signal. */
async function child(file: string, args: string[], stderr: 'ignore' | number = 'ignore') {
  // Its input stays open and silent: a shell that reads waits without a process of its own.
  const made = spawn(file, args, { stdio: ['pipe', 'ignore', stderr] });
  children.push(made);
  const ended = new Promise<string | null>((resolve) => {
    made.once('close', (_code, signal) => resolve(signal));
  });
  await new Promise((resolve) => made.once('spawn', resolve));
  return { pid: made.pid as number, ended, made };
}

/** Opens a fifo for reading without waiting for who writes. */
function reader(path: string): Disposable & { read(): string } {
  const fd = new Fd(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  const buffer = Buffer.alloc(4096);
  return {
    read: () => buffer.toString('utf8', 0, readSync(fd.fd, buffer)),
    [Symbol.dispose]: () => fd.close(),
  };
}

describe('orders to a monitor', () => {
  it('are lines of three numbers, as conmon reads them', () => {
    mkfifo(`${base}/ctl`, 0o600);
    using ctl = reader(`${base}/ctl`);
    resizeTerminal(base, 24, 80);
    resizeTerminal(base, 0, 65535);
    reopenLog(base);
    assert.equal(ctl.read(), '1 24 80\n1 0 65535\n2 0 0\n');
  });

  it('without anybody who reads are refused at once, and leave no descriptor', () => {
    mkfifo(`${base}/ctl`, 0o600);
    const before = descriptors();
    for (const order of [
      () => resizeTerminal(base, 1, 1),
      () => reopenLog(base),
      () => reopenLog(`${base}/nosuch`),
    ])
      assert.throws(order, { kind: 'not-found', message: 'the process has ended' });
    assert.equal(descriptors(), before);
  });

  it('close what they opened, also when the one who watches throws', () => {
    mkfifo(`${base}/ctl`, 0o600);
    using ctl = reader(`${base}/ctl`);
    const before = descriptors();
    assert.throws(
      () =>
        writeNow(`${base}/ctl`, Buffer.from('x'), () => {
          assert.equal(descriptors(), before + 1);
          throw new Error('changed my mind');
        }),
      /changed my mind/,
    );
    assert.equal(descriptors(), before);
    assert.equal(ctl.read(), '', 'nothing was written');
  });
});

describe('words to a process that has not begun', () => {
  it('come out of its stderr', async () => {
    mkfifo(`${base}/stderr`, 0o600);
    using said = reader(`${base}/stderr`);
    using writer = new Fd(openSync(`${base}/stderr`, constants.O_WRONLY));
    const { pid } = await child('/bin/sleep', ['60'], writer.fd);
    tell(pid, 'exec /x: exec format error\n');
    assert.equal(said.read(), 'exec /x: exec format error\n');
  });

  it('are lost without harm when it is gone or nobody reads', async () => {
    const before = descriptors();
    tell(NO_PID, 'x');
    tell(0, 'x');
    tell(-1, 'x');
    assert.equal(descriptors(), before);
  });
});

describe('the exit that a monitor wrote down', () => {
  const file = () => `${base}/exit`;
  const read = () => readExit(file(), base);

  it('is its number, with the time of the file', async () => {
    writeFileSync(file(), '7');
    utimesSync(file(), 1_700_000_000, 1_700_000_000);
    assert.deepEqual(await read(), { code: 7, at: 1_700_000_000_000_000_000n, oomKilled: false });
  });

  it('is a byte in any spelling, and nothing while it is not there completely', async () => {
    const cases: [string, number | undefined][] = [
      ['0', 0],
      ['137\n', 137],
      ['-1', 255],
      ['256', 0],
      ['', undefined],
      ['\n', undefined],
      ['x', undefined],
      ['7x', undefined],
      ['0x7', undefined],
      ['7 8', undefined],
    ];
    for (const [text, code] of cases) {
      writeFileSync(file(), text);
      assert.equal((await read())?.code, code, JSON.stringify(text));
    }
    rmSync(file());
    assert.equal(await read(), undefined);
  });

  it('is 255 for a program that the kernel refused, and tells that memory ran out', async () => {
    writeFileSync(file(), '1');
    writeFileSync(`${base}/oom`, '');
    assert.equal((await read())?.oomKilled, true);
    assert.equal((await read())?.code, 1);
    writeFileSync(`${base}/${REFUSED}`, '');
    assert.equal((await read())?.code, 255);
  });

  it('that can not be read is an error, not an end', async () => {
    mkdirSync(file());
    await assert.rejects(read(), { code: 'EISDIR' });
  });

  it('is lost, and known to be, when there is none', () => {
    const { code, lost, oomKilled, at } = lostExit();
    assert.deepEqual([code, lost, oomKilled], [255, true, false]);
    assert.ok(at > 1_600_000_000_000_000_000n, 'nanoseconds');
  });
});

describe('the end of a monitor of an earlier daemon', () => {
  const named = (bundle: string) => child('/bin/sh', ['-c', 'read line', 'conmon', '-b', bundle, '-p', 'x']);

  it('is awaited for a process that has this very bundle, and leaves no descriptor', async () => {
    const before = descriptors();
    const monitor = await named(base);
    let ended = false;
    const waiting = monitorEnd(monitor.pid, base).then(() => {
      ended = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(ended, false);
    monitor.made.kill('SIGKILL');
    await Promise.all([waiting, monitor.ended]);
    assert.equal(descriptors(), before);
  });

  it('is now for one that is gone, and for a stranger who has its pid', async () => {
    const before = descriptors();
    await monitorEnd(NO_PID, base);
    await monitorEnd(process.pid, base);
    const near = await named(`${base}2`);
    await monitorEnd(near.pid, base);
    near.made.kill('SIGKILL');
    await near.ended;
    assert.equal(descriptors(), before);
  });
});

describe('a process that a bundle remembers', () => {
  it('is signalled while it is the one, and no other that has its pid', async () => {
    const { pid, ended } = await child('/bin/sleep', ['60']);
    const ticks = startTicks(pid);
    assert.match(ticks, /^\d+$/);
    const before = descriptors();
    for (const other of [String(BigInt(ticks) + 1n), '0', ''])
      assert.equal(signalProcess({ pid, ticks: other }, 9), false, other);
    assert.equal(signalProcess({ pid, ticks }, 0), true);
    assert.equal(descriptors(), before);
    assert.equal(signalProcess({ pid, ticks }, 15), true);
    assert.equal(await ended, 'SIGTERM');
    assert.equal(signalProcess({ pid, ticks }, 9), false);
  });

  it('is never everybody, and never a group', () => {
    for (const pid of [0, -1, -process.pid, NO_PID]) {
      assert.equal(signalProcess({ pid, ticks: '' }, 9), false);
      assert.equal(signalProcess({ pid, ticks: '1' }, 9), false);
    }
    assert.equal(startTicks(NO_PID), '');
  });
});

describe('the runtime', () => {
  const place = (script: string, answerLimit?: number): TaskPlace => {
    const path = `${base}/runtime`;
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    const runtime = { name: 'mine', path, args: ['--debug', '--x=y z'] };
    const folders = { bundle: `${base}/b`, exits: `${base}/e`, runtimeRoot: `${base}/r` };
    return { ...folders, conmon: '/usr/bin/conmon', runtime, answerLimit };
  };

  it('gets its root, its own arguments and then the step, in a plain environment', async () => {
    const log = `${base}/log`;
    await runRuntime(
      place(`printf '%s\\n' "$@" > ${log}; pwd >> ${log}; env | cut -d= -f1 | sort >> ${log}`),
      ['delete', 'id'],
    );
    const [root, ...rest] = readFileSync(log, 'utf8').trim().split('\n');
    assert.equal(root, `--root=${base}/r`);
    assert.deepEqual(rest.slice(0, 5), ['--debug', '--x=y z', 'delete', 'id', '/']);
    assert.deepEqual(
      rest.slice(5).filter((name) => !['PWD', '_', 'OLDPWD', 'SHLVL'].includes(name)),
      ['PATH'],
    );
  });

  it('that fails says how, by code or signal', async () => {
    await assert.rejects(runRuntime(place('exit 3'), ['kill']), {
      kind: 'internal',
      message: 'mine kill failed with 3',
    });
    await assert.rejects(runRuntime(place('kill -9 $$'), ['pause']), {
      message: 'mine pause failed with signal 9',
    });
  });

  it('that never answers is ended, and nothing of it stays open', async () => {
    await assert.rejects(runRuntime(place('exec sleep 60', 50), ['state']), (thrown) =>
      isKind(thrown, 'timeout'),
    );
    const before = descriptors();
    for (let at = 0; at < 3; at++) await runRuntime(place('exit 0'), ['state']);
    assert.equal(descriptors(), before);
  });

  it('is named to the monitor with every argument as one', () => {
    const args = monitorArgs(place(''), 'id1', '/bundle dir', '/exits');
    const after = (flag: string) => args[args.indexOf(flag) + 1];
    assert.deepEqual(['-c', '-u', '-n', '-b', '-p', '--exit-dir', '-0', '-r'].map(after), [
      'id1',
      'id1',
      'id1',
      '/bundle dir',
      '/bundle dir/pid',
      '/exits',
      '/bundle dir',
      `${base}/runtime`,
    ]);
    const passed = args.flatMap((arg, at) => (args[at - 1] === '--runtime-arg' ? [arg] : []));
    assert.deepEqual(passed, [`--root=${base}/r`, '--debug', '--x=y z']);
    assert.ok(args.includes('--full-attach'), 'the socket lies in the bundle, however long its path is');
    assert.equal(statSync(`${base}/runtime`).mode & 0o111, 0o111);
  });
});
