import assert from 'node:assert/strict';
import { existsSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { silentLog } from '../base/index.ts';
import { identityOf } from './files.ts';
import { LogFolder } from './log-file.cases.ts';
import { until } from './log-server.cases.ts';
import { openLogRotator } from './rotation.ts';
import type { RotationHold } from './types.ts';

/** A reader that is far behind: it needs every file but those that it has read. */
class Behind implements RotationHold {
  readonly read = new Set<string>();
  readonly gone: string[] = [];
  readonly mostFiles: number;

  constructor(mostFiles: number) {
    this.mostFiles = mostFiles;
  }

  needs(identity: string): boolean {
    return !this.read.has(identity);
  }

  async giveUp(identity: string): Promise<void> {
    this.gone.push(identity);
    this.read.add(identity);
  }
}

function watched(log: LogFolder, hold: RotationHold, maxFiles: number) {
  let reopened = 0;
  log.write('');
  const reopen = async () => {
    writeFileSync(`${log.path}.tmp`, '');
    renameSync(`${log.path}.tmp`, log.path);
    reopened++;
  };
  const policy = { maxBytes: 1000, maxFiles, compress: maxFiles > 1, hold };
  const kept = openLogRotator(silentLog).watch(log.path, policy, reopen);
  return {
    kept,
    /** Fills the log once; resolves when it was rotated. */
    async fill(from: number) {
      const before = reopened;
      log.append(log.lines(from, from + 24));
      await until(() => reopened > before);
    },
  };
}

const names = (log: LogFolder) => readdirSync(log.directory).sort();
const identity = (path: string) => identityOf(statSync(path, { bigint: true }));

describe('a rotation with somebody who is behind', () => {
  it('keeps what is needed, unpacked, beyond the number of files', async () => {
    using log = new LogFolder();
    const hold = new Behind(10);
    const { kept, fill } = watched(log, hold, 2);
    for (let round = 0; round < 4; round++) await fill(round * 25 + 1);
    await kept.close();
    assert.deepEqual(names(log), ['c.log', 'c.log.1', 'c.log.2', 'c.log.3', 'c.log.4']);
    assert.equal((await log.text()).trimEnd().split('\n').length, 100);
    assert.deepEqual(hold.gone, []);
  });

  it('removes and packs what is no longer needed, at the next rotation', async () => {
    using log = new LogFolder();
    const hold = new Behind(10);
    const { kept, fill } = watched(log, hold, 3);
    for (let round = 0; round < 4; round++) await fill(round * 25 + 1);
    for (const index of [1, 2, 3, 4]) hold.read.add(identity(`${log.path}.${index}`));
    await fill(101);
    await until(() => existsSync(`${log.path}.2.gz`));
    await kept.close();
    assert.deepEqual(names(log), ['c.log', 'c.log.1', 'c.log.2.gz']);
    const lines = (await log.text()).trimEnd().split('\n').map(Number);
    assert.deepEqual([lines[0], lines.at(-1), lines.length], [76, 125, 50]);
  });

  it('gives up the oldest when there are too many, and says so before it goes', async () => {
    using log = new LogFolder();
    const hold = new Behind(3);
    const there: boolean[] = [];
    const { kept, fill } = watched(log, hold, 2);
    await fill(1);
    const oldest = identity(`${log.path}.1`);
    const { giveUp } = hold;
    hold.giveUp = (one) => {
      there.push(names(log).some((name) => identity(`${log.directory}/${name}`) === one));
      return giveUp.call(hold, one);
    };
    await fill(26);
    await fill(51);
    await fill(76);
    await kept.close();
    assert.equal(hold.gone[0], oldest);
    assert.ok(there.length > 0 && there.every(Boolean));
    const lines = (await log.text()).trimEnd().split('\n').map(Number);
    assert.equal(lines.at(-1), 100);
    assert.ok((lines[0] ?? 0) > 25, 'the first file is gone');
  });

  it('of a log with one file keeps that one until it is read', async () => {
    using log = new LogFolder();
    const hold = new Behind(5);
    const { kept, fill } = watched(log, hold, 1);
    await fill(1);
    await kept.close();
    assert.deepEqual(names(log), ['c.log', 'c.log.1']);
    hold.read.add(identity(`${log.path}.1`));
    const again = watched(log, hold, 1);
    await again.fill(26);
    await again.kept.close();
    assert.ok(names(log).length <= 2, String(names(log)));
  });

  it('tells of no loss where no monitor is known', async () => {
    using log = new LogFolder();
    const rotator = openLogRotator(silentLog);
    log.write('');
    const kept = rotator.watch(
      log.path,
      { maxBytes: 1000, maxFiles: 1, compress: false },
      async () => undefined,
    );
    assert.equal(kept.lostBytes, 0);
    assert.deepEqual(rotator.losses(), []);
    await kept.close();
  });
});
