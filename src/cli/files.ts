import { createReadStream, type ReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoCode, WharfError } from '../base/index.ts';

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

/** Opens a file to be sent. Throws WharfError `invalid` when it cannot be opened, or is a directory. */
export async function openInput(path: string): Promise<ReadStream> {
  try {
    const handle = await open(path);
    if (!(await handle.stat()).isDirectory()) return createReadStream(path, { fd: handle });
    await handle.close();
  } catch (thrown) {
    throw fileError(path, thrown);
  }
  throw new WharfError('invalid', `read ${path}: is a directory`);
}
