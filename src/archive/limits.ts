import { WharfError } from '../base/index.ts';
import type { ArchiveLimits } from './types.ts';

/** Above every real image, and low enough that an archive ends before the host does. */
export const DEFAULT_LIMITS: Readonly<ArchiveLimits> = {
  maxEntries: 1_000_000,
  maxBytes: 256 * 2 ** 30,
  maxNameBytes: 4096,
  maxExtensionBytes: 1 << 20,
  maxRatio: 200,
  ratioFreeBytes: 2 ** 30,
};

/** The defaults with what is given put over them. */
export function limitsFrom(given: Partial<ArchiveLimits> | undefined): ArchiveLimits {
  return { ...DEFAULT_LIMITS, ...given };
}

/** Throws `invalid`: "archive: <why>". */
export function refuse(why: string): never {
  throw new WharfError('invalid', `archive: ${why}`);
}

/** Throws `corrupt`: "archive: <why>". */
export function corrupt(why: string, cause?: unknown): never {
  throw new WharfError('corrupt', `archive: ${why}`, { cause });
}
