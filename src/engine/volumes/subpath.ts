import { WharfError } from '../../base/index.ts';
import { type Fd, O, openat2, RESOLVE } from '../../sys/index.ts';

/**
 * Opens the file or directory at `subpath` of a volume, to be bound by its descriptor: what a container does to the
 * volume between the check and the mount can't lead elsewhere, and links are refused altogether. Errors: `invalid`.
 */
export function openSubpath(volumeDirectory: string, subpath: string): Fd {
  using root = openat2(volumeDirectory, '.', { flags: O.PATH | O.DIRECTORY | O.CLOEXEC });
  try {
    return openat2(root, subpath, {
      flags: O.PATH | O.CLOEXEC,
      resolve: RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS | RESOLVE.NO_MAGICLINKS,
    });
  } catch (thrown) {
    throw new WharfError('invalid', `cannot access path ${subpath} of the volume: it is missing or a link`, {
      cause: thrown,
    });
  }
}
