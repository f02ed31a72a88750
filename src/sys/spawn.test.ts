import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import { isErrno } from './errno.ts';
import { Fd } from './fd.ts';
import { libcFunction } from './libc.ts';
import { openPidfd, pidfdExited, pidfdSendSignal } from './pidfd.ts';
import { processStatus } from './process.ts';
import { type SpawnRequest, spawnProcess } from './spawn.ts';

let base: string;
let output: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-spawn-'));
  output = join(base, 'output');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Runs a shell line with its output in a file; gives the exit and the text. */
async function shell(line: string, more: Partial<SpawnRequest> = {}) {
  using file = new Fd(openSync(output, 'w+'));
  const fds = [...(more.fds ?? []), { child: 1, parent: file.fd }];
  const child = spawnProcess({ file: '/bin/sh', args: ['-c', line], env: [], ...more, fds });
  const exit = await child.exited;
  return { exit, text: readFileSync(output, 'utf8'), child };
}

describe('spawnProcess', () => {
  it('passes arguments and environment exactly, and tells the exit code', async () => {
    const { exit, text } = await shell('printf "%s|" "$0" "$@"; printf "%s" "$A"; exit 7', {
      args: ['-c', 'printf "%s|" "$@"; printf "%s" "$A"; exit 7', 'x', 'a b', '', 'ü'],
      env: { A: 'x=y' },
    });
    assert.equal(text, 'a b||ü|x=y');
    assert.deepEqual(exit, { code: 7, signal: null });
  });

  it('tells the signal that ended it', async () => {
    assert.deepEqual((await shell('kill -KILL $$')).exit, { code: null, signal: 9 });
  });

  it('gives the child only what is listed, and /dev/null for the rest of the standard ones', async () => {
    const leaky = openSync('/dev/zero', 'r');
    // dup(2) clears close-on-exec: such a one would pass into a child by fork and exec.
    const inheritable = new Fd(libcFunction<[number]>('int dup(int fd)')(leaky));
    const { text } = await shell('cd /proc/$$/fd; for f in *; do echo $f $(readlink $f); done', {
      fds: [{ child: 5, parent: leaky }],
    });
    closeSync(leaky);
    inheritable.close();
    const lines = text
      .trim()
      .split('\n')
      .filter((line) => !line.includes('pipe:'));
    assert.deepEqual(lines, ['0 /dev/null', `1 ${output}`, '2 /dev/null', '5 /dev/zero']);
  });

  it('untangles numbers that overlap', async () => {
    const [a, b] = ['a', 'b'].map((name) => new Fd(openSync(join(base, name), 'w+'))) as [Fd, Fd];
    writeSync(a.fd, 'A');
    writeSync(b.fd, 'B');
    // Each is the other's number in the child.
    const { text } = await shell(`readlink /proc/self/fd/${b.fd} /proc/self/fd/${a.fd}`, {
      fds: [
        { child: b.fd, parent: a.fd },
        { child: a.fd, parent: b.fd },
      ],
    });
    assert.equal(text, `${join(base, 'a')}\n${join(base, 'b')}\n`);
    const same = await shell(`readlink /proc/self/fd/${a.fd}`, { fds: [{ child: a.fd, parent: a.fd }] });
    assert.equal(same.text, `${join(base, 'a')}\n`);
    a.close();
    b.close();
  });

  it('starts in a directory, in a session of its own, with signals as the system has them', async () => {
    const script = 'pwd; grep -E "^Sig(Blk|Ign)" /proc/self/status; cut -d" " -f6 /proc/$$/stat; echo $$';
    const { text } = await shell(script, { cwd: base, newSession: true });
    const [cwd, blocked, ignored, session, pid] = text.trim().split('\n');
    assert.equal(cwd, base);
    assert.equal(session, pid);
    for (const line of [blocked, ignored]) assert.match(line ?? '', /\t0{16}$/);
  });

  it('finds a name in the PATH', async () => {
    const child = spawnProcess({ file: 'true', args: [], env: [] });
    assert.deepEqual(await child.exited, { code: 0, signal: null });
  });

  it('refuses a missing program or directory, a NUL and a number given twice; leaks nothing', async () => {
    const before = readdirSync('/proc/self/fd').length;
    const missing = (request: Partial<SpawnRequest>) =>
      assert.throws(
        () => spawnProcess({ file: '/bin/true', args: [], env: [], ...request }),
        (e) => isKind(e, 'not-found') && isErrno(e, 'ENOENT'),
      );
    missing({ file: '/none' });
    missing({ cwd: '/none' });
    for (const bad of [
      { args: ['a\0b'] },
      { env: { A: '\0' } },
      { fds: [0, 0].map((parent) => ({ child: 9, parent })) },
    ]) {
      assert.throws(
        () => spawnProcess({ file: '/bin/true', args: [], env: [], ...bad }),
        (e) => isKind(e, 'invalid'),
      );
    }
    await spawnProcess({ file: '/bin/true', args: [], env: [], fds: [{ child: 0, parent: 0 }] }).exited;
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });

  it('collects a hundred children at once', async () => {
    const children = Array.from({ length: 100 }, (_, at) =>
      spawnProcess({ file: '/bin/sh', args: ['-c', `exit ${at}`], env: [] }),
    );
    const exits = await Promise.all(children.map(({ exited }) => exited));
    assert.deepEqual(
      exits.map(({ code }) => code),
      children.map((_, at) => at),
    );
    for (const { pid, pidfd } of children) {
      assert.equal(processStatus(pid), undefined);
      assert.equal(pidfd.fd, -1);
    }
  });
});

describe('pidfd', () => {
  it('signals, and waits for the end of a process', async () => {
    const child = spawnProcess({ file: '/bin/sleep', args: ['100'], env: [] });
    using second = openPidfd(child.pid);
    const ended = pidfdExited(second);
    second.close();
    assert.equal(pidfdSendSignal(child.pidfd, 0), true);
    assert.equal(pidfdSendSignal(child.pidfd, 15), true);
    await ended;
    assert.deepEqual(await child.exited, { code: null, signal: 15 });
    assert.equal(pidfdSendSignal(child.pidfd, 15), false);
    assert.throws(
      () => openPidfd(child.pid),
      (e) => isKind(e, 'not-found') && isErrno(e, 'ESRCH'),
    );
  });

  it('says false for a process that was collected, and refuses what is no pidfd', async () => {
    const child = spawnProcess({ file: '/bin/true', args: [], env: [] });
    using second = openPidfd(child.pid);
    await child.exited;
    assert.equal(pidfdSendSignal(second, 9), false);
    await pidfdExited(second);
    using file = new Fd(openSync('/dev/null', 'r'));
    assert.throws(() => pidfdSendSignal(file, 9));
  });

  it('gives up by signal, without a descriptor or a listener left', async () => {
    const child = spawnProcess({ file: '/bin/sleep', args: ['100'], env: [] });
    const before = readdirSync('/proc/self/fd').length;
    const abort = new AbortController();
    const waiting = pidfdExited(child.pidfd, abort.signal);
    abort.abort();
    await assert.rejects(waiting, (e) => isKind(e, 'cancelled'));
    await assert.rejects(pidfdExited(child.pidfd, abort.signal), (e) => isKind(e, 'cancelled'));
    assert.equal(readdirSync('/proc/self/fd').length, before);
    pidfdSendSignal(child.pidfd, 9);
    await child.exited;
  });
});

it('loads nothing native on import', () => {
  const program = `await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
    console.log(/koffi/.test(require('node:fs').readFileSync('/proc/self/maps', 'utf8')))`;
  const source = `import { createRequire } from 'node:module'; const require = createRequire('/');${program}`;
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
  assert.equal(text.trim(), 'false');
});
