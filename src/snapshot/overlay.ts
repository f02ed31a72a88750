import { chmodSync, chownSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { WharfError } from '../base/index.ts';
import { type Fd, O, openat2 } from '../sys/index.ts';
import { DirectorySnapshotter, type SnapshotterOptions } from './directory-snapshotter.ts';
import type { SnapshotRecord } from './records.ts';
import type { MountSpec, Snapshotter } from './types.ts';

// Whatever the kernel's defaults are (`redirect_dir=off` may still follow, see redirect_always_follow): an image must not redirect a name into another layer or borrow its content,
// and with an index one layer could not stand below several mounts.
const FIXED = ['index=off', 'metacopy=off', 'redirect_dir=nofollow'];
/** mount(2) takes one page of options. */
const MAX_OPTIONS = 4095;

/** A snapshotter on overlayfs: a folder for each layer, `fs` with its changes and `work` for the kernel. */
export function openOverlaySnapshotter(options: SnapshotterOptions): Snapshotter {
  if (!/^\/[^,:\\]*$/.test(options.root)) {
    throw new WharfError(
      'invalid',
      `${options.root}: the snapshot folder must be absolute and without "," ":" and "\\"`,
    );
  }
  // Made by the first mount that needs it; it stays open as long as the snapshotter.
  let rootFd: Fd | undefined;
  const shortRoot = () => {
    rootFd ??= openat2(options.root, '.', { flags: O.PATH | O.DIRECTORY });
    return `/proc/self/fd/${rootFd.fd}`;
  };
  return new DirectorySnapshotter(options, {
    name: 'overlay',
    collection: 'snapshots',
    fill,
    adopt,
    mount(record, readOnly = record.kind === 'layer') {
      const direct = overlayMount(options.root, record, readOnly);
      if (direct.options.join(',').length <= MAX_OPTIONS) return direct;
      // Many layers: the same folders by a shorter way. Only this process can mount these, which is who mounts.
      const short = overlayMount(shortRoot(), record, readOnly);
      if (short.options.join(',').length <= MAX_OPTIONS) return short;
      throw new WharfError(
        'invalid',
        `snapshot ${record.key} has ${record.lower.length} layers: too many to mount`,
      );
    },
  });
}

function fill(folder: string, parent: string | undefined): void {
  const fs = join(folder, 'fs');
  mkdirSync(fs, { mode: 0o755 });
  if (parent === undefined) return;
  mkdirSync(join(folder, 'work'), { mode: 0o700 });
  takeAttributes(fs, parent);
}

/**
 * A layer that says nothing of its root directory must not change that of the layers below. One that was given a time is
 * older than itself; one that was left alone has the time of what was last made in it.
 */
function adopt(tree: string, parent: string): boolean {
  const { mode, uid, gid, mtimeNs, birthtimeNs } = lstatSync(tree, { bigint: true });
  const untouched = (mode & 0o7777n) === 0o755n && uid === 0n && gid === 0n && mtimeNs >= birthtimeNs;
  return untouched && takeAttributes(tree, parent);
}

/** The upper directory's own attributes are those of the container's root directory. */
function takeAttributes(fs: string, parent: string): boolean {
  const { mode, uid, gid } = lstatSync(parent);
  const owned = uid !== 0 || gid !== 0;
  const moded = (mode & 0o7777) !== 0o755;
  if (owned) chownSync(fs, uid, gid);
  if (moded) chmodSync(fs, mode & 0o7777);
  return owned || moded;
}

function overlayMount(root: string, { folder, lower }: SnapshotRecord, readOnly: boolean): MountSpec {
  const tree = (one: number) => `${root}/${one}/fs`;
  if (lower.length === 0) {
    const flags = readOnly ? ['bind', 'ro'] : ['bind'];
    return { type: 'bind', source: tree(folder), options: [], flags };
  }
  const below = readOnly ? [folder, ...lower] : lower;
  const options = [`lowerdir=${below.map(tree).join(':')}`];
  if (!readOnly) options.push(`upperdir=${tree(folder)}`, `workdir=${root}/${folder}/work`);
  return {
    type: 'overlay',
    source: 'overlay',
    options: [...options, ...FIXED],
    flags: readOnly ? ['ro'] : [],
  };
}
