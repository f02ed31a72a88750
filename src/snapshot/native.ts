import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WharfError } from '../base/index.ts';
import { DirectorySnapshotter, type SnapshotterOptions } from './directory-snapshotter.ts';
import type { Snapshotter } from './types.ts';

const run = promisify(execFile);

/** A snapshotter that copies whole trees: slow and large, for hosts whose filesystem can't carry overlayfs. */
export function openNativeSnapshotter(options: SnapshotterOptions): Snapshotter {
  const tree = (folder: number) => join(options.root, String(folder), 'fs');
  return new DirectorySnapshotter(options, {
    name: 'native',
    collection: 'snapshots_native',
    whole: true,
    fill,
    mount: ({ kind, folder }) => ({
      type: 'bind',
      source: tree(folder),
      options: [],
      flags: kind === 'active' ? ['bind'] : ['bind', 'ro'],
    }),
  });
}

async function fill(folder: string, parent: string | undefined): Promise<void> {
  const fs = join(folder, 'fs');
  if (parent === undefined) return mkdirSync(fs, { mode: 0o755 });
  try {
    await run('cp', ['--archive', '--reflink=auto', '--', parent, fs], {
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    });
  } catch (thrown) {
    throw new WharfError('internal', `copying a snapshot failed: ${String(thrown)}`, { cause: thrown });
  }
}
