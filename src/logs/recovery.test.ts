import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  watch,
  writeFileSync,
  writeSync,
} from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { describe, it, mock } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Logger, silentLog } from '../base/index.ts';
import { LogFolder } from './log-file.cases.ts';
import { openLogRotator } from './rotation.ts';
import type { RotationPolicy } from './types.ts';

/** conmon's part: it writes to the file that it holds, whatever that is called, until it is told to reopen. */
class Monitor implements Disposable {
  next = 1;
  reopened = 0;
  private fd: number;
  private readonly log: LogFolder;

  constructor(log: LogFolder) {
    this.log = log;
    this.fd = openSync(log.path, 'a');
  }

  write(count: number): void {
    writeSync(this.fd, this.log.lines(this.next, this.next + count - 1));
    this.next += count;
  }

  readonly reopen = async (): Promise<void> => {
    assert.ok(!existsSync(this.log.path), 'told twice, it would throw away what it wrote');
    this.reopened++;
    closeSync(this.fd);
    this.fd = openSync(`${this.log.path}.tmp`, 'w');
    renameSync(`${this.log.path}.tmp`, this.log.path);
  };

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

/** A daemon that dies at the step with this number: nothing that it does to a name works any more. */
function dying(step: number) {
  let left = step;
  const dead = Promise.withResolvers<void>();
  const alive = () => {
    if (left-- > 0) return;
    dead.resolve();
    throw new Error('the daemon has died');
  };
  const fakes = (['rename', 'rm'] as const).map((name) => {
    const real = promises[name] as (...given: unknown[]) => Promise<void>;
    return mock.method(promises, name, (async (...given: unknown[]) => {
      alive();
      await real(...given);
    }) as never);
  });
  syncBuiltinESMExports();
  const restore = () => {
    for (const fake of fakes) fake.mock.restore();
    syncBuiltinESMExports();
  };
  return { alive, dead: dead.promise, [Symbol.dispose]: restore };
}

/** Resolves when the folder fulfils a condition. */
async function when(log: LogFolder, isSo: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watcher = watch(log.directory, () => isSo() && resolve());
  if (isSo()) resolve();
  await promise;
  watcher.close();
}

const names = (log: LogFolder) => readdirSync(log.directory).sort().join(' ');
const smallAgain = (log: LogFolder, policy: RotationPolicy) =>
  existsSync(log.path) && statSync(log.path).size < policy.maxBytes;

/** The numbers in the log, which must go on without gap or repetition to the last that was written. */
async function firstKept(log: LogFolder, last: number): Promise<number> {
  const found = (await log.text()).trimEnd().split('\n').map(Number);
  const first = found[0] as number;
  assert.deepEqual(
    found,
    Array.from({ length: last - first + 1 }, (_, at) => first + at),
  );
  return first;
}

const PACKS: RotationPolicy = { maxBytes: 1000, maxFiles: 4, compress: true };

/** Lines 1 to 60 in three packed files. */
function packedFiles(log: LogFolder): void {
  for (const [at, index] of [3, 2, 1].entries()) {
    writeFileSync(`${log.path}.${index}.gz`, gzipSync(log.lines(at * 20 + 1, at * 20 + 20)));
  }
}

describe('a daemon that dies in a rotation', () => {
  // Steps: rm of a scratch file, rm .3.gz, two shifts, the log's own name, reopen, packed name, rm of the plain file.
  for (let step = 0; step <= 7; step++) {
    it(`at step ${step} leaves a log that reads whole, and that the next daemon keeps`, async () => {
      using log = new LogFolder();
      packedFiles(log);
      log.write('');
      using monitor = new Monitor(log);
      monitor.next = 61;
      monitor.write(30);
      {
        using daemon = dying(step);
        const reopen = async () => {
          daemon.alive();
          await monitor.reopen();
        };
        const kept = openLogRotator(silentLog).watch(log.path, PACKS, reopen);
        await daemon.dead;
        await kept.close();
      }
      monitor.write(1);
      assert.ok((await firstKept(log, 91)) <= 61, names(log));
      const kept = openLogRotator(silentLog).watch(log.path, PACKS, monitor.reopen);
      for (let round = 0; round < 5; round++) {
        await when(log, () => smallAgain(log, PACKS));
        const before = monitor.reopened;
        monitor.write(25);
        await when(log, () => monitor.reopened > before && smallAgain(log, PACKS));
      }
      await kept.close();
      assert.match(names(log), /^c\.log c\.log\.1\.gz c\.log\.2\.gz c\.log\.3\.gz$/);
      assert.ok((await firstKept(log, monitor.next - 1)) > 90, 'what is older has gone');
    });
  }

  it('while it packs leaves half a file, which the next one removes', async () => {
    using log = new LogFolder();
    log.write('');
    using monitor = new Monitor(log);
    monitor.write(5);
    await promises.rename(log.path, `${log.path}.1`);
    await monitor.reopen();
    monitor.write(5);
    log.write('half', '.packing');
    assert.equal(await firstKept(log, 10), 1);
    const kept = openLogRotator(silentLog).watch(log.path, PACKS, monitor.reopen);
    await when(log, () => !existsSync(`${log.path}.packing`));
    await kept.close();
    assert.equal(names(log), 'c.log c.log.1');
    assert.equal(monitor.reopened, 1);
    assert.equal(await firstKept(log, 10), 1);
  });
});

describe('a policy that has changed since the last start', () => {
  const cases: [string, Partial<RotationPolicy>, string][] = [
    ['more files', { maxFiles: 9 }, 'c.log c.log.1 c.log.2.gz c.log.3.gz c.log.5'],
    ['fewer files', { maxFiles: 3 }, 'c.log c.log.1 c.log.2.gz'],
    ['one file, where the newest may be unread by the monitor', { maxFiles: 1 }, 'c.log c.log.1'],
    ['no packing', { maxFiles: 4, compress: false }, 'c.log c.log.1 c.log.2.gz c.log.3.gz'],
  ];
  for (const [what, change, left] of cases) {
    it(`${what}: what is too much goes at once`, async () => {
      using log = new LogFolder();
      for (const suffix of ['', '.1', '.2.gz', '.3.gz', '.5']) log.write('', suffix);
      for (const suffix of ['.packing', '.old', '.1.bak']) log.write('', suffix);
      using monitor = new Monitor(log);
      const kept = openLogRotator(silentLog).watch(log.path, { ...PACKS, ...change }, monitor.reopen);
      await when(log, () => names(log) === [...left.split(' '), 'c.log.1.bak', 'c.log.old'].sort().join(' '));
      await kept.close();
      assert.equal(monitor.reopened, 0);
    });
  }
});

describe('a rotation that fails', () => {
  /** What is said when something goes wrong. */
  function listening() {
    const said = Promise.withResolvers<string>();
    const logger: Logger = { ...silentLog, warn: (message) => said.resolve(message) };
    return { logger, said: said.promise };
  }

  it('in packing leaves the plain file, and the log is kept on', async () => {
    using log = new LogFolder();
    log.write('');
    using monitor = new Monitor(log);
    const { logger, said } = listening();
    const kept = openLogRotator(logger).watch(log.path, PACKS, async () => {
      await promises.mkdir(`${log.path}.packing`);
      await monitor.reopen();
    });
    monitor.write(25);
    assert.equal(await said, 'a rotated log is not packed');
    await promises.rmdir(`${log.path}.packing`);
    await kept.close();
    assert.equal(names(log), 'c.log c.log.1');
    assert.equal(await firstKept(log, 25), 1);
  });

  it('in the monitor is said once, and the log stays readable', async () => {
    using log = new LogFolder();
    log.write('');
    using monitor = new Monitor(log);
    monitor.write(25);
    const { logger, said } = listening();
    const kept = openLogRotator(logger).watch(log.path, PACKS, () => Promise.reject(new Error('gone')));
    assert.equal(await said, 'a log is not rotated any more');
    monitor.write(5);
    await kept.close();
    assert.equal(names(log), 'c.log.1');
    assert.equal(await firstKept(log, 30), 1);
  });
});
