import { readFileSync, statSync } from 'node:fs';
import { type Clock, type Logger, systemClock, WharfError } from '../../base/index.ts';

/** Files of users and rights are small; one that is larger is something else. */
const MAX_BYTES = 16 << 20;
/** A change is seen after so long: a registry answers thousands of requests a second, each of which asks several times. */
const LOOK_MS = 100;

/**
 * A parsed file that is read again when it was changed or replaced. A new version that can't be read or parsed is
 * logged once and the last good one stays: a typing error must neither lock everybody out nor let anybody in.
 */
export class ReloadedFile<T> {
  readonly path: string;
  private readonly parse: (text: string, path: string) => T;
  private readonly log: Logger;
  private readonly clock: Pick<Clock, 'monotonic'>;
  private seen: string;
  private lookedAt: number;
  private value: T;

  /** Errors: `invalid` when the file can't be read or parsed now. */
  constructor(
    path: string,
    parse: (text: string, path: string) => T,
    log: Logger,
    clock: Pick<Clock, 'monotonic'> = systemClock,
  ) {
    this.path = path;
    this.parse = parse;
    this.log = log;
    this.clock = clock;
    this.lookedAt = clock.monotonic();
    this.seen = this.version();
    this.value = this.read();
  }

  /** The file's content as of now, or a tenth of a second ago. */
  current(): T {
    const now = this.clock.monotonic();
    if (now - this.lookedAt < LOOK_MS) return this.value;
    this.lookedAt = now;
    const version = this.version();
    if (version === this.seen) return this.value;
    this.seen = version;
    try {
      this.value = this.read();
      this.log.info('a changed file was read again', { file: this.path });
    } catch (error) {
      this.log.error('a changed file is not used; what it said before stays in force', {
        file: this.path,
        error,
      });
    }
    return this.value;
  }

  private version(): string {
    const found = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    return found ? `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}` : 'missing';
  }

  private read(): T {
    let text: string;
    try {
      const found = statSync(this.path);
      if (!found.isFile()) throw new WharfError('invalid', 'it is no regular file');
      if (found.size > MAX_BYTES)
        throw new WharfError('invalid', `it has ${found.size} bytes, at most ${MAX_BYTES} are read`);
      text = readFileSync(this.path, 'utf8');
    } catch (cause) {
      throw new WharfError('invalid', `${this.path} can't be read: ${WharfError.from(cause).message}`, {
        cause,
      });
    }
    return this.parse(text, this.path);
  }
}
