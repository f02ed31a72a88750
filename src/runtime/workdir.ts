import { posix } from 'node:path';
import { errnoCode, WharfError } from '../base/index.ts';
import { type Fd, mkdirAllInRoot } from '../sys/index.ts';

/**
 * Makes the working directory in a mounted root where it is missing (0755 root:root), and refuses one that is no
 * directory of that root. Errors: `invalid` with Docker's texts.
 */
export function prepareWorkdir(root: Fd | string, dir: string): void {
  const path = posix.normalize(dir || '/');
  if (!path.startsWith('/'))
    throw new WharfError(
      'invalid',
      `the working directory '${dir}' is invalid, it needs to be an absolute path`,
    );
  // Descriptor directories of procfs could lead to a directory of the host (CVE-2024-21626).
  if (/^\/proc\/(self|thread-self|\d+)(\/task\/\d+)?\/(fd|cwd|root)(\/|$)/.test(path))
    throw new WharfError('invalid', `the working directory '${dir}' is invalid: it is a process's own link`);
  // procfs and sysfs are mounted by the runtime; nothing can be made there, and the runtime checks what it finds.
  if (/^\/(proc|sys|dev)(\/|$)/.test(path) || path === '/') return;
  try {
    mkdirAllInRoot(root, path, 0o755).close();
  } catch (thrown) {
    const code = errnoCode((thrown as Error).cause);
    if (code === 'ENOTDIR' || code === 'EEXIST')
      throw new WharfError('invalid', `Cannot mkdir: ${path} is not a directory`, { cause: thrown });
    throw thrown;
  }
}
