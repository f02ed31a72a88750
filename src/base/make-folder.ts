import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errnoCode, WharfError } from './errors.ts';

/**
 * Makes a folder and those above it that are missing, with this mode less the umask; one that is there stays as it is. Where a
 * file system takes no folders and says ENOENT for it, as /proc does, `mkdirSync` with `recursive` tries for ever. Errors:
 * `invalid`, naming the folder that can't be made and why.
 */
export function makeFolder(path: string, mode: number): void {
  make(resolve(path), mode);
}

function make(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (cause) {
    if (isFolder(path)) return;
    const parent = dirname(path);
    if (errnoCode(cause) !== 'ENOENT' || parent === path) throw impossible(path, cause);
    if (isFolder(parent))
      throw new WharfError(
        'invalid',
        `the folder ${path} can't be made: the file system of ${parent} takes none`,
        {
          cause,
        },
      );
    make(parent, mode);
    make(path, mode);
  }
}

const isFolder = (path: string) => {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
};

const impossible = (path: string, cause: unknown) =>
  new WharfError('invalid', `the folder ${path} can't be made: ${WharfError.from(cause).message}`, { cause });
