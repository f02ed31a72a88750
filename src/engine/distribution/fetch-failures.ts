import { WharfError } from '../../base/index.ts';
import type { Descriptor } from '../../oci/index.ts';

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;

/** What a growing file fails with when its download begins from zero. */
export const RESTARTED = new WharfError('unavailable', 'the download of the layer began from zero');

/** A body that ended before its end: the fetch goes on where it was cut. `cause` says what happened. */
export class BrokenBody extends Error {
  override readonly cause: WharfError;

  constructor(cause: WharfError) {
    super(cause.message);
    this.name = 'BrokenBody';
    this.cause = cause;
  }
}

/** Milliseconds before try number `tries` + 1: doubling, and by chance up to a half more or less, lest all come back at once. */
export function retryDelay(tries: number, random: () => number = Math.random): number {
  const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 1));
  return Math.round(delay * (0.5 + random()));
}

/** What came is not the blob, again. The text is Docker's. */
export function verificationFailed(blob: Descriptor, cause?: unknown): WharfError {
  const message = `filesystem layer verification failed for digest ${blob.digest}`;
  return new WharfError('corrupt', message, { cause });
}

/** The registry has no such blob. The text is Docker's. */
export function unknownBlob(cause: unknown): WharfError {
  return new WharfError('not-found', 'unknown blob', { cause });
}
