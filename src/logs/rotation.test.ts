import assert from 'node:assert/strict';
import { existsSync, readdirSync, renameSync, statSync, watch, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { silentLog } from '../base/index.ts';
import { LogFolder } from './log-file.cases.ts';
import { openLogRotator } from './rotation.ts';
import type { RotationPolicy } from './types.ts';

const POLICY: RotationPolicy = { maxBytes: 1000, maxFiles: 3, compress: false };

/** A monitor's part: a new file that takes the name over. */
function reopener(log: LogFolder) {
  const state = { count: 0, reopen: async () => {} };
  state.reopen = async () => {
    assert.ok(!existsSync(log.path), 'the name is free: what bears it would be lost');
    state.count += 1;
    writeFileSync(`${log.path}.tmp`, '');
    renameSync(`${log.path}.tmp`, log.path);
  };
  return state;
}

/** Resolves when the folder fulfils a condition. */
async function when(log: LogFolder, isSo: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watcher = watch(log.directory, () => isSo() && resolve());
  if (isSo()) resolve();
  await promise;
  watcher.close();
}

function names(log: LogFolder): string[] {
  return readdirSync(log.directory).sort();
}

async function fill(log: LogFolder, from: number, count: number): Promise<number> {
  log.append(log.lines(from, from + count - 1));
  return from + count;
}

describe('a log that is kept below its size', () => {
  it('is rotated when it is full, and the oldest file goes', async () => {
    using log = new LogFolder();
    log.write('');
    const monitor = reopener(log);
    const kept = openLogRotator(silentLog).watch(log.path, POLICY, monitor.reopen);
    let next = 1;
    for (let round = 1; round <= 4; round++) {
      next = await fill(log, next, 30);
      await when(log, () => monitor.count === round && existsSync(log.path));
    }
    await kept.close();
    assert.deepEqual(names(log), ['c.log', 'c.log.1', 'c.log.2']);
    assert.equal((await log.text()).split('\n')[0], '61');
    assert.equal((await log.text()).split('\n').at(-2), '120');
  });

  it('is not touched while it is small', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 3));
    const monitor = reopener(log);
    const kept = openLogRotator(silentLog).watch(log.path, POLICY, monitor.reopen);
    log.append(log.lines(4, 5));
    await kept.close();
    await kept.close();
    assert.equal(monitor.count, 0);
    assert.deepEqual(names(log), ['c.log']);
  });

  it('keeps one file only when one is wanted', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 40));
    const monitor = reopener(log);
    const kept = openLogRotator(silentLog).watch(log.path, { ...POLICY, maxFiles: 1 }, monitor.reopen);
    await when(log, () => monitor.count === 1 && !existsSync(`${log.path}.1`));
    await kept.close();
    assert.deepEqual(names(log), ['c.log']);
    assert.equal(statSync(log.path).size, 0);
  });

  it('is packed, and reads the same', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 40));
    const monitor = reopener(log);
    const kept = openLogRotator(silentLog).watch(log.path, { ...POLICY, compress: true }, monitor.reopen);
    await when(log, () => existsSync(`${log.path}.1.gz`) && !existsSync(`${log.path}.1`));
    await fill(log, 41, 30);
    await when(log, () => names(log).join() === 'c.log,c.log.1.gz,c.log.2.gz');
    await kept.close();
    assert.deepEqual(names(log), ['c.log', 'c.log.1.gz', 'c.log.2.gz']);
    const expected = Array.from({ length: 70 }, (_, at) => `${at + 1}\n`).join('');
    assert.equal(await log.text(), expected);
  });

  it('is rotated although it is being packed, so that who prints fast does not fill the disk', async () => {
    using log = new LogFolder();
    log.write('');
    const monitor = reopener(log);
    const kept = openLogRotator(silentLog).watch(log.path, { ...POLICY, compress: true }, monitor.reopen);
    const large = log.record('x'.repeat(8000)).repeat(6000);
    log.append(large);
    await when(log, () => existsSync(`${log.path}.packing`));
    const next = log.lines(1, 40);
    log.append(next);
    await when(log, () => existsSync(`${log.path}.2`) && !existsSync(`${log.path}.2.gz`));
    await when(log, () => names(log).join() === 'c.log,c.log.1.gz,c.log.2.gz');
    await kept.close();
    assert.equal((await log.text()).length, 8001 * 6000 + 40 + 31 + 40);
  });

  it('loses nothing under a follower while many files come and go', async () => {
    using log = new LogFolder();
    log.write('');
    const monitor = reopener(log);
    const kept = openLogRotator(silentLog).watch(log.path, { ...POLICY, compress: true }, monitor.reopen);
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const following = log.text({ follow: { ended } });
    let next = 1;
    for (let round = 1; round <= 12; round++) {
      next = await fill(log, next, 25);
      await when(log, () => monitor.count === round && existsSync(log.path));
    }
    await fill(log, next, 1);
    await kept.close();
    resolve();
    const expected = Array.from({ length: 301 }, (_, at) => `${at + 1}\n`).join('');
    assert.equal(await following, expected);
  });
});

describe('after a crash', () => {
  it('a rotation that was cut off before the monitor was told goes on', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 40), '.1');
    const monitor = reopener(log);
    const kept = openLogRotator(silentLog).watch(log.path, POLICY, monitor.reopen);
    await when(log, () => existsSync(log.path));
    await kept.close();
    assert.equal(monitor.count, 1);
  });

  it('a monitor that was told and is late is not told again', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 40), '.1');
    const monitor = reopener(log);
    const kept = openLogRotator(silentLog).watch(log.path, POLICY, monitor.reopen);
    log.write(log.lines(41, 42), '.tmp');
    renameSync(`${log.path}.tmp`, log.path);
    await fill(log, 43, 1);
    await kept.close();
    assert.equal(monitor.count, 0);
    assert.match(await log.text(), /40\n41\n42\n43\n$/);
  });

  it('half of a packed file, a plain one beside its packed one, and files too many are removed', async () => {
    using log = new LogFolder();
    for (const suffix of ['', '.1', '.1.gz', '.2', '.7', '.packing']) log.write('', suffix);
    const kept = openLogRotator(silentLog).watch(log.path, POLICY, reopener(log).reopen);
    await when(log, () => !existsSync(`${log.path}.7`));
    await kept.close();
    assert.deepEqual(names(log), ['c.log', 'c.log.1.gz', 'c.log.2']);
  });

  it('a monitor that is gone ends the watching, and nobody is hurt', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 40));
    const gone = async () => Promise.reject(new Error('the process has ended'));
    const kept = openLogRotator(silentLog).watch(log.path, POLICY, gone);
    await when(log, () => existsSync(`${log.path}.1`));
    await kept.close();
    assert.equal((await log.text()).split('\n').length, 41);
  });
});
