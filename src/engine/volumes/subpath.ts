import { errnoCode, WharfError } from '../../base/index.ts';
import { type Fd, O, openat2, RESOLVE } from '../../sys/index.ts';

/**
 * Opens the file or directory at `subpath` of a volume, to be bound by its descriptor: what a container does to the
 * volume between the check and the mount can't lead elsewhere. Links within the volume are followed, by the kernel, which
 * refuses those that leave it. Errors: `invalid`, with Docker's texts.
 */
export function openSubpath(volumeDirectory: string, subpath: string): Fd {
  using root = openat2(volumeDirectory, '.', { flags: O.PATH | O.DIRECTORY | O.CLOEXEC });
  try {
    return openat2(root, subpath.replace(/^\/+/, '') || '.', {
      flags: O.PATH | O.CLOEXEC,
      resolve: RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS,
    });
  } catch (thrown) {
    const code = errnoCode(WharfError.from(thrown).cause);
    throw new WharfError('invalid', reason(volumeDirectory, subpath, code), { cause: thrown });
  }
}

function reason(base: string, subpath: string, code: string | undefined): string {
  const path = `${base}/${subpath}`;
  if (code === 'ENOENT') return `cannot access path ${path}: lstat ${path}: no such file or directory`;
  if (code === 'EXDEV')
    return `path concatenation escapes the base directory, base: ${base}, subpath: ${subpath}`;
  const why = code === 'ENOTDIR' ? 'not a directory' : (code ?? 'unknown error');
  return `error while resolving symlinks in combined path "${path}": ${why}`;
}
