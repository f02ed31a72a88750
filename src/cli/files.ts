import { errnoCode, WharfError } from '../base/index.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
};

/** A file that cannot be opened, in the words of Docker's client. */
export function openFileError(path: string, thrown: unknown): WharfError {
  const code = errnoCode(thrown) ?? '';
  return new WharfError('invalid', `open ${path}: ${REASONS[code] ?? code}`, { cause: thrown });
}
