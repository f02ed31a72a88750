import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, type Logger } from '../base/index.ts';
import { deleteTree } from '../sys/index.ts';

/** Deletes folders in the background, one at a time: a deletion must never make a start wait for the disk. */
export class Trash {
  private readonly dir: string;
  private readonly log: Logger;
  private work: Promise<void> = Promise.resolve();
  private count = 0;

  constructor(dir: string, log: Logger) {
    this.dir = dir;
    this.log = log;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  /** Moves the folder away at once and deletes it later. A folder that is gone is no error. */
  take(folder: string): void {
    this.count += 1;
    const place = join(this.dir, `${process.pid}-${Date.now()}-${this.count}`);
    try {
      renameSync(folder, place);
    } catch (thrown) {
      if (errnoCode(thrown) === 'ENOENT') return;
      throw thrown;
    }
    this.delete(place);
  }

  /** Deletes what an earlier process left behind. */
  emptyLater(): void {
    for (const name of readdirSync(this.dir)) this.delete(join(this.dir, name));
  }

  /** Resolves when all that was taken so far is off the disk. */
  settled(): Promise<void> {
    return this.work;
  }

  private delete(place: string): void {
    this.work = this.work
      .then(() => deleteTree(place))
      .catch((thrown: unknown) =>
        this.log.warn('files of a removed snapshot stay behind', { path: place, error: thrown }),
      );
  }
}
