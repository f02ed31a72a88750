import { WharfError } from '../../base/index.ts';
import { isErrno } from '../../sys/index.ts';
import type { ContainerPath } from './container-path.ts';

/** Docker's answer for a path that is not there; `ref` is the container as the request names it. */
export function noSuchFile(ref: string, { asked }: ContainerPath, cause?: unknown): WharfError {
  return new WharfError('not-found', `Could not find the file ${asked} in container ${ref}`, { cause });
}

/** Texts of errnos as Go's `syscall` has them. */
const TEXTS = {
  ENOTDIR: 'not a directory',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
  EACCES: 'permission denied',
} as const;

/** What looking a path up failed with, as Docker tells it. */
export function lookupError(ref: string, path: ContainerPath, at: string, thrown: unknown): unknown {
  if (isErrno(thrown, 'ENOENT')) return noSuchFile(ref, path, thrown);
  for (const [code, text] of Object.entries(TEXTS)) {
    if (isErrno(thrown, code)) return new WharfError('internal', `lstat ${at}: ${text}`, { cause: thrown });
  }
  return thrown;
}

/** A NUL would end the path for the kernel: refused, as Go does it. */
export function refuseNul(path: ContainerPath): void {
  if (path.path.includes('\0')) throw new WharfError('internal', `lstat ${path.path}: invalid argument`);
}
