import { statSync } from 'node:fs';
import type { OciMount } from '../../runtime/spec-types.ts';
import { mkdirAllInRoot } from '../../sys/index.ts';

/** Filesystems of the runtime's own. */
const MADE_LATER = ['/proc', '/sys', '/dev'];

/**
 * Makes the directories that mounts of directories lack, root's with mode 0755 as in Docker: crun 1.8 would make them
 * 01755. Those beneath another mount stay the runtime's to make, since that is not there yet. Sorted by depth.
 */
export function makeMountTargets(rootfs: string, mounts: readonly OciMount[]): void {
  const covered = [...MADE_LATER];
  for (const { destination, type, source } of mounts) {
    const beneath = covered.some((path) => destination === path || destination.startsWith(`${path}/`));
    covered.push(destination);
    if (beneath || (type === 'bind' && !isDirectory(source))) continue;
    try {
      mkdirAllInRoot(rootfs, destination, 0o755).close();
    } catch {
      // Something else is there: the runtime finds it, too, and says so.
    }
  }
}

function isDirectory(path: string | undefined): boolean {
  return path !== undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
