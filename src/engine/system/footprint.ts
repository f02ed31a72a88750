import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isKind } from '../../base/index.ts';
import type { Snapshotter } from '../../snapshot/index.ts';
import { diskUsage as treeUsage } from '../../sys/index.ts';

/** An empty directory on the usual filesystems, in bytes. */
const DIRECTORY = 4096;

export interface FootprintDeps {
  snapshots: Pick<Snapshotter, 'stat' | 'directory'>;
  paths: {
    /** Has a directory of each container: its logs, whole and rotated, and its files for /etc. */
    containers: string;
    /** Has the mount point of each container that runs or did. */
    mounts: string;
  };
}

/**
 * Bytes on disk that a container takes, and that come free with it, as du(1) counts them: what it wrote, with the folders
 * that overlay keeps beside it, its logs and its files for /etc. What is gone meanwhile takes nothing.
 */
export async function containerBytes({ snapshots, paths }: FootprintDeps, id: string): Promise<number> {
  const own = snapshots.stat(id) ? await snapshotBytes({ snapshots }, id) : 0;
  // Not measured: what is mounted there is counted where it lies.
  const mountPoint = existsSync(join(paths.mounts, id)) ? DIRECTORY : 0;
  return own + (await bytesBelow(join(paths.containers, id))) + mountPoint;
}

/** Bytes on disk of an active snapshot: its files, and whatever else is in the folder of its own. */
export async function snapshotBytes(
  { snapshots }: { snapshots: Pick<Snapshotter, 'directory'> },
  key: string,
): Promise<number> {
  try {
    return await bytesBelow(dirname(snapshots.directory(key)));
  } catch (thrown) {
    if (isKind(thrown, 'not-found')) return 0;
    throw thrown;
  }
}

async function bytesBelow(directory: string): Promise<number> {
  try {
    return (await treeUsage(directory)).bytes;
  } catch (thrown) {
    if (isKind(thrown, 'not-found')) return 0;
    throw thrown;
  }
}
