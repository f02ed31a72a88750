import { randomBytes } from 'node:crypto';
import { renameSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode, WharfError } from '../base/index.ts';

/**
 * Removes a file: its name is gone when this returns its promise, its bytes are off the disk when that settles (a file of
 * gigabytes takes its time). `bin` is a folder of the same filesystem whose files nobody misses. False when it was not there.
 */
export async function dispose(path: string, bin: string): Promise<boolean> {
  const place = join(bin, `removed-${randomBytes(12).toString('hex')}`);
  try {
    renameSync(path, place);
  } catch (thrown) {
    if (errnoCode(thrown) === 'ENOENT') return false;
    return converted(thrown);
  }
  await missingAsUndefined(unlink(place));
  return true;
}

/** The result of the work, or undefined when it failed because there is no such file. */
export async function missingAsUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (thrown) {
    if (errnoCode(thrown) === 'ENOENT') return undefined;
    return converted(thrown);
  }
}

/** Throws a system error as `exhausted` when room is missing, else as `internal`. */
export function converted(thrown: unknown): never {
  const full = ['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE'].includes(errnoCode(thrown) ?? '');
  throw WharfError.from(thrown, full ? 'exhausted' : 'internal');
}
