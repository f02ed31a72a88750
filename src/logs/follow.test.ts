import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import fs, { mkdirSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { describe, it, mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { LogFolder } from './log-file.cases.ts';
import { heldFiles } from './model.cases.ts';
import { openLogReader } from './reader.ts';

const BOTH = { stdout: true, stderr: true };

/** A follower that reads a record only when the test asks for one. */
function pausing(log: LogFolder, signal = new AbortController().signal) {
  const ended = Promise.withResolvers<void>();
  const query = { ...BOTH, follow: { ended: ended.promise } };
  const records = openLogReader().read(log.path, query, signal)[Symbol.asyncIterator]();
  const next = async () => (await records.next()).value?.data.toString() as string | undefined;
  const rest = async () => {
    const found: string[] = [];
    for (let one = await next(); one !== undefined; one = await next()) found.push(one);
    return found.join('');
  };
  return { next, rest, leave: () => records.return?.(), end: ended.resolve, lose: ended.reject };
}

/** Replaces a function of the system for as long as it is in use. */
function failing(
  name: 'openSync' | 'readdirSync' | 'statSync' | 'watch',
  code: string,
  path: (path: string) => boolean,
) {
  const real = fs[name] as (...given: unknown[]) => unknown;
  const fake = mock.method(fs, name, ((...given: unknown[]) => {
    if (!path(String(given[0]))) return real(...given);
    throw Object.assign(new Error(`${code}: refused`), { code });
  }) as never);
  syncBuiltinESMExports();
  const restore = () => {
    fake.mock.restore();
    syncBuiltinESMExports();
  };
  return { [Symbol.dispose]: restore };
}

/** Turns of the event loop until the follower's watcher has had the new files opened. */
async function held(log: LogFolder, count: number): Promise<void> {
  while (heldFiles(log).length < count) await turn();
}

/** What a monitor and a rotator do to a log; each step writes at most one line. */
const STEPS: readonly ((log: LogFolder) => void)[] = [
  (log) => log.append(log.record('1')),
  (log) => log.append(log.record('2', { stderr: true })),
  (log) => renameSync(log.path, `${log.path}.1`),
  (log) => writeFileSync(`${log.path}.tmp`, log.record('3')),
  (log) => renameSync(`${log.path}.tmp`, log.path),
  (log) => log.append(log.record('4')),
  (log) => writeFileSync(`${log.path}.packing`, gzipSync('half')),
  (log) => renameSync(`${log.path}.packing`, `${log.path}.1.gz`),
  (log) => unlinkSync(`${log.path}.1`),
  (log) => renameSync(`${log.path}.1.gz`, `${log.path}.2.gz`),
  (log) => log.rotate(),
  (log) => log.append(log.record('5')),
  (log) => unlinkSync(`${log.path}.2.gz`),
  (log) => unlinkSync(`${log.path}.1`),
  (log) => log.append(log.record('6')),
];
const WRITTEN = [1, 2, 2, 2, 3, 4, 4, 4, 4, 4, 4, 5, 5, 5, 6];
const upTo = (count: number) => Array.from({ length: count }, (_, at) => `${at + 1}\n`).join('');

describe('a follow that is cut at each step of a rotation', () => {
  for (let cut = 0; cut <= STEPS.length; cut++) {
    it(`ends at the signal after step ${cut}, with everything closed`, async () => {
      using log = new LogFolder();
      log.write('');
      const stop = new AbortController();
      const follower = pausing(log, stop.signal);
      let seen = 0;
      for (let step = 0; step < cut; step++) {
        STEPS[step]?.(log);
        for (; seen < (WRITTEN[step] ?? 0); seen++) assert.equal(await follower.next(), `${seen + 1}\n`);
      }
      const waiting = follower.next();
      stop.abort();
      assert.equal(await waiting, undefined);
      assert.deepEqual(heldFiles(log), []);
    });

    it(`ends with the container after step ${cut}, with all that was written`, async () => {
      using log = new LogFolder();
      log.write('');
      const follower = pausing(log);
      const reading = follower.rest();
      await turn();
      // Not waiting for the reader, but for its watcher: a deleted file can be kept only by who has met it.
      for (const step of STEPS.slice(0, cut)) {
        step(log);
        await held(log, 1);
        await turn();
      }
      if (cut % 2) follower.end();
      else follower.lose(new Error('the monitor is lost'));
      assert.equal(await reading, upTo(WRITTEN[cut - 1] ?? 0));
      assert.deepEqual(heldFiles(log), []);
    });
  }

  it('ends where its reader leaves the loop, also between two files', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 2), '.2');
    log.write(log.lines(3, 4), '.1');
    log.write(log.lines(5, 6));
    for (let taken = 1; taken <= 6; taken++) {
      const follower = pausing(log);
      for (let at = 1; at <= taken; at++) assert.equal(await follower.next(), `${at}\n`);
      await follower.leave();
      assert.deepEqual(heldFiles(log), []);
      assert.equal(await follower.next(), undefined);
    }
  });

  it('reads nothing when the signal has fired before', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 2));
    const follower = pausing(log, AbortSignal.abort());
    assert.equal(await follower.rest(), '');
    assert.equal(await log.text({ tail: 1 }, AbortSignal.abort()), '');
    assert.deepEqual(heldFiles(log), []);
  });
});

describe('a slow follower', () => {
  it('keeps what is rotated and deleted while it does nothing', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 1));
    const follower = pausing(log);
    assert.equal(await follower.next(), '1\n');
    for (let at = 2; at <= 9; at++) {
      log.rotate();
      log.append(log.record(String(at)));
      await held(log, at);
      unlinkSync(`${log.path}.1`);
    }
    follower.end();
    assert.equal(await follower.rest(), upTo(9).slice(2));
    assert.deepEqual(heldFiles(log), []);
  });

  it('that takes nothing is told so, before what it keeps from being deleted fills the disk', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 1));
    const follower = pausing(log);
    assert.equal(await follower.next(), '1\n');
    for (let at = 2; at <= 3; at++) {
      log.rotate();
      await held(log, at);
      truncateSync(log.path, 200 * 1024 * 1024);
      log.rotate();
      await held(log, at + 1);
      unlinkSync(`${log.path}.1`);
    }
    while (heldFiles(log).length > 1) {
      log.rotate();
      await turn();
    }
    await assert.rejects(follower.rest(), { kind: 'exhausted', message: /followed too slowly/ });
    assert.deepEqual(heldFiles(log), []);
  });

  it('gets the end of a file that was written after it got its number', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 1));
    const follower = pausing(log);
    assert.equal(await follower.next(), '1\n');
    renameSync(log.path, `${log.path}.1`);
    const two = follower.next();
    fs.appendFileSync(`${log.path}.1`, log.record('2'));
    assert.equal(await two, '2\n');
    writeFileSync(`${log.path}.tmp`, log.record('3'));
    renameSync(`${log.path}.tmp`, log.path);
    assert.equal(await follower.next(), '3\n');
    follower.end();
    assert.equal(await follower.rest(), '');
  });

  it('gives a line in pieces back whole, though its pieces are in two files', async () => {
    using log = new LogFolder();
    log.write(log.record('on', { partial: true }));
    const follower = pausing(log);
    assert.equal(await follower.next(), 'on');
    log.rotate();
    log.append(log.record('e'));
    assert.equal(await follower.next(), 'e\n');
    follower.end();
    assert.equal(await follower.rest(), '');
  });
});

describe('files that go away under a follower', () => {
  it('are read to their end, and a new log is found', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 1), '.1');
    log.write(log.lines(2, 3));
    const follower = pausing(log);
    assert.equal(await follower.next(), '1\n');
    await openLogReader().remove(log.path);
    assert.equal(await follower.next(), '2\n');
    assert.equal(await follower.next(), '3\n');
    const four = follower.next();
    log.write(log.record('4'));
    assert.equal(await four, '4\n');
    follower.end();
    assert.equal(await follower.rest(), '');
  });

  it('may be all, with their folder', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 2));
    const follower = pausing(log);
    assert.equal(await follower.next(), '1\n');
    rmSync(log.directory, { recursive: true });
    assert.equal(await follower.next(), '2\n');
    const rest = follower.rest();
    await turn();
    follower.end();
    assert.equal(await rest, '');
    assert.deepEqual(heldFiles(log), []);
  });

  it('are never there when the folder is not', async () => {
    using log = new LogFolder();
    rmSync(log.directory, { recursive: true });
    await assert.rejects(pausing(log).next(), { code: 'ENOENT' });
    assert.equal(await log.text(), '');
  });
});

describe('a follower whom the system refuses', () => {
  const first = (log: LogFolder) => (path: string) => path === `${log.path}.1`;
  const cases: [
    string,
    Parameters<typeof failing>[0],
    string,
    (log: LogFolder) => (path: string) => boolean,
  ][] = [
    ['too many open files', 'openSync', 'EMFILE', first],
    ['no right to a file', 'openSync', 'EACCES', first],
    ['a table of files that is full', 'openSync', 'ENFILE', first],
    ['no descriptor for the folder', 'readdirSync', 'EMFILE', (log) => (path) => path === log.directory],
    ['no right to the folder', 'readdirSync', 'EACCES', (log) => (path) => path === log.directory],
    ['no right to look at the log', 'statSync', 'EACCES', (log) => (path) => path === log.path],
  ];
  for (const [what, name, code, path] of cases) {
    it(`throws where it waits: ${what} (${name}, ${code})`, async () => {
      using log = new LogFolder();
      log.write(log.lines(1, 1));
      const follower = pausing(log);
      assert.equal(await follower.next(), '1\n');
      using _ = failing(name, code, path(log));
      const waiting = assert.rejects(follower.next(), { code });
      log.rotate();
      await waiting;
      assert.deepEqual(heldFiles(log), []);
      assert.equal(await follower.next(), undefined);
    });
  }

  it('gives what it holds before it throws what went wrong meanwhile', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 2));
    const follower = pausing(log);
    assert.equal(await follower.next(), '1\n');
    log.append(log.record('3'));
    log.rotate();
    {
      using _ = failing('openSync', 'EMFILE', first(log));
      // The event comes while nobody awaits the follower: an error that escaped would end this process.
      for (let turns = 0; turns < 20; turns++) await turn();
      assert.equal(await follower.next(), '2\n');
      assert.equal(await follower.next(), '3\n');
      await assert.rejects(follower.next(), { code: 'EMFILE' });
    }
    assert.deepEqual(heldFiles(log), []);
  });

  it('does not begin when nothing can be watched, and leaves nothing open', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 2));
    log.write(log.lines(3, 4), '.1');
    using _ = failing('watch', 'EMFILE', () => true);
    await assert.rejects(pausing(log).next(), { code: 'EMFILE' });
    assert.deepEqual(heldFiles(log), []);
    assert.equal(await log.text({ tail: 1 }), '2\n', 'who does not follow needs no watcher');
  });

  it('throws what its watcher reports, and closes it', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 1));
    const watcher = Object.assign(new EventEmitter(), { close: mock.fn() });
    const fake = mock.method(fs, 'watch', () => watcher as never);
    syncBuiltinESMExports();
    const follower = pausing(log);
    try {
      assert.equal(await follower.next(), '1\n');
    } finally {
      fake.mock.restore();
      syncBuiltinESMExports();
    }
    const waiting = assert.rejects(follower.next(), { code: 'EIO' });
    watcher.emit('error', Object.assign(new Error('first'), { code: 'EIO' }));
    watcher.emit('error', Object.assign(new Error('second'), { code: 'EBADF' }));
    await waiting;
    assert.equal(watcher.close.mock.callCount(), 1);
    assert.deepEqual(heldFiles(log), []);
  });

  it('throws when the log is a folder, or its packed file is damaged', async () => {
    using log = new LogFolder();
    mkdirSync(log.path);
    await assert.rejects(pausing(log).next(), { code: 'EISDIR' });
    rmSync(log.path, { recursive: true });
    log.write(log.lines(1, 1));
    writeFileSync(`${log.path}.1.gz`, gzipSync('0'.repeat(5000)).subarray(0, 20));
    await assert.rejects(pausing(log).next(), { code: 'Z_BUF_ERROR' });
    await assert.rejects(log.text({ tail: 5 }), { code: 'Z_BUF_ERROR' });
    assert.equal(await log.text({ tail: 0 }), '', 'what is older than the tail is not looked at');
    assert.deepEqual(heldFiles(log), []);
  });
});
