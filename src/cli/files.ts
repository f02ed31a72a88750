import { errnoCode, WharfError } from '../base/index.ts';

/**
 * Node's file module without its ES facade: an `import` reads every export once, and with them the promises, which
 * load half of the streams and the line editor.
 */
export function nodeFs(): typeof import('node:fs') {
  return process.getBuiltinModule('node:fs');
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  EEXIST: 'file exists',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
  ENXIO: 'no such device or address',
  EROFS: 'read-only file system',
  ENOSPC: 'no space left on device',
  EIO: 'input/output error',
};

/** A file that cannot be opened or read, in the words of Docker's client: `open PATH: no such file or directory`. */
export function fileError(path: string, thrown: unknown): WharfError {
  const code = errnoCode(thrown) ?? '';
  const call = code === 'EISDIR' || code === 'EIO' ? 'read' : 'open';
  const reason = REASONS[code] ?? (code || WharfError.from(thrown).message);
  return new WharfError('invalid', `${call} ${path}: ${reason}`, { cause: thrown });
}
