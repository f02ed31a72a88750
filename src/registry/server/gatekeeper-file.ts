import { readFileSync, statSync } from 'node:fs';
import { type Clock, type Logger, systemClock, WharfError } from '../../base/index.ts';

/** Files of users and rights are small; one that is larger is something else. */
const MAX_BYTES = 16 << 20;
/** A change is seen after so long: a registry answers thousands of requests a second, each of which asks several times. */
const LOOK_MS = 100;
/** So long what a file said stays in force when it can't be read any more: longer than editors and `mv` take to replace it. */
const LOST_MS = 60_000;

/**
 * A parsed file that is read again when it was changed or replaced. A new version that can't be parsed is logged once and
 * the last good one stays: a typing error must neither lock everybody out nor let anybody in. A file that is gone, or can't
 * be read, is what nobody can correct a right in: after a minute `nothing` is in force until it is back.
 */
export class ReloadedFile<T> {
  readonly path: string;
  private readonly parse: (text: string, path: string) => T;
  private readonly nothing: T;
  private readonly log: Logger;
  private readonly clock: Pick<Clock, 'monotonic'>;
  private seen: string;
  private lookedAt: number;
  private value: T;
  /** When it was first found that the file can't be read; its content is `nothing` from `LOST_MS` later on. */
  private lost: { since: number; ended: boolean } | undefined;

  /** Errors: `invalid` when the file can't be read or parsed now. */
  constructor(
    path: string,
    file: { parse: (text: string, path: string) => T; nothing: T },
    log: Logger,
    clock: Pick<Clock, 'monotonic'> = systemClock,
  ) {
    this.path = path;
    this.parse = file.parse;
    this.nothing = file.nothing;
    this.log = log;
    this.clock = clock;
    this.lookedAt = clock.monotonic();
    this.seen = this.version();
    this.value = this.parse(this.read(), path);
  }

  /** The file's content as of now, or a tenth of a second ago. */
  current(): T {
    const now = this.clock.monotonic();
    if (now - this.lookedAt < LOOK_MS) return this.value;
    this.lookedAt = now;
    const version = this.version();
    const changed = version !== this.seen;
    if (!changed && !this.lost) return this.value;
    this.seen = version;
    let text: string;
    try {
      text = this.read();
    } catch (error) {
      this.endLost(now, error);
      return this.value;
    }
    this.lost = undefined;
    try {
      this.value = this.parse(text, this.path);
      this.log.info('a changed file was read again', { file: this.path });
    } catch (error) {
      this.log.error('a changed file is not used; what was in force stays', { file: this.path, error });
    }
    return this.value;
  }

  private endLost(now: number, error: unknown): void {
    const file = this.path;
    if (!this.lost) {
      this.lost = { since: now, ended: false };
      this.log.error('a file is gone; what it said before stays in force for a minute', { file, error });
    } else if (!this.lost.ended && now - this.lost.since >= LOST_MS) {
      this.lost.ended = true;
      this.value = this.nothing;
      this.log.error('a file is still gone: nobody has rights by it until it is back', { file, error });
    }
  }

  private version(): string {
    try {
      const found = statSync(this.path, { bigint: true });
      return `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`;
    } catch {
      return 'missing';
    }
  }

  private read(): string {
    try {
      const found = statSync(this.path);
      if (!found.isFile()) throw new WharfError('invalid', 'it is no regular file');
      if (found.size > MAX_BYTES)
        throw new WharfError('invalid', `it has ${found.size} bytes, at most ${MAX_BYTES} are read`);
      return readFileSync(this.path, 'utf8');
    } catch (cause) {
      throw new WharfError('invalid', `${this.path} can't be read: ${WharfError.from(cause).message}`, {
        cause,
      });
    }
  }
}
