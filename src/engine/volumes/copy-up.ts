import { fchmodSync, fchownSync, lstatSync, readdirSync, readSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { errnoCode, isKind, WharfError } from '../../base/index.ts';
import {
  type Fd,
  fchmodat,
  fchownat,
  fgetxattr,
  flistxattr,
  fsetxattr,
  fstatat,
  lgetxattr,
  linkat,
  llistxattr,
  lsetxattr,
  mkdirat,
  mknodat,
  O,
  openat2,
  openInRoot,
  RESOLVE,
  readlinkat,
  removeTree,
  renameat2,
  symlinkat,
  syncfs,
  utimensat,
} from '../../sys/index.ts';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const CHUNK = 1 << 20;
/** So many entries are copied before others get their turn. */
const ENTRIES_A_TURN = 64;

/** Where copying stands: files with several names already copied, by inode of the source, and what can be linked to. */
interface CopyState {
  target: Fd;
  linked: Map<bigint, { directory: string; name: string }>;
  entries: number;
  buffer: Buffer;
}

/** The folder in the volume that the copy is made in; it has the second name when it is whole and on disk. */
const FILLING = '.wharf-filling';
const FILLED = '.wharf-filled';

/** Whether the image has a directory there, whose files, owner and mode a volume would get. */
export function hasFiles(rootfs: string, destination: string): boolean {
  using source = openSource(rootfs, destination);
  return source !== undefined;
}

/**
 * Fills an empty volume with what the image has at `destination`, and gives its directory the owner and mode of the
 * image's. `rootfs` is the image's root, mounted; links on the way are followed inside it alone (an image can't name the
 * host's files), and nothing below is followed. All or nothing, over crashes and power cuts too: see `finishCopyUp`.
 * Returns false, and changes nothing, when the volume has files already or the image has no such directory.
 */
export async function copyUp(rootfs: string, destination: string, volumeDirectory: string): Promise<boolean> {
  using source = openSource(rootfs, destination);
  if (!source) return false;
  finishCopyUp(volumeDirectory);
  using target = openInRoot(volumeDirectory, '.', O.RDONLY | O.DIRECTORY);
  if (readdirSync(procPath(target)).length > 0) return false;
  if (readdirSync(procPath(source)).length === 0) {
    copyDirectoryMarks(source, target);
    return true;
  }
  try {
    mkdirat(target, FILLING, 0o700);
    using stage = openBeneath(target, FILLING, O.RDONLY | O.DIRECTORY);
    const state = { target: stage, linked: new Map(), entries: 0, buffer: Buffer.allocUnsafe(CHUNK) };
    await copyDirectory(state, source, stage, '.');
    await syncfs(procPath(stage));
    renameat2(target, FILLING, target, FILLED);
    finishCopyUp(volumeDirectory);
  } catch (thrown) {
    dropTree(target, FILLING);
    throw thrown;
  }
  return true;
}

/** Drops a copy that was cut off while it was made, and puts a whole one into its place. Before a volume is used. */
export function finishCopyUp(volumeDirectory: string): void {
  const isThere = (name: string) =>
    lstatSync(`${volumeDirectory}/${name}`, { throwIfNoEntry: false })?.isDirectory() === true;
  // The usual case costs two looks and no descriptor.
  const [isHalf, isWhole] = [isThere(FILLING), isThere(FILLED)];
  if (!isHalf && !isWhole) return;
  using target = openInRoot(volumeDirectory, '.', O.RDONLY | O.DIRECTORY);
  if (isHalf) dropTree(target, FILLING);
  if (!isWhole) return;
  using stage = openBeneath(target, FILLED, O.RDONLY | O.DIRECTORY);
  const times = fstatat(stage, '');
  for (const name of readdirSync(procPath(stage))) {
    try {
      renameat2(stage, name, target, name, { noReplace: true });
    } catch (thrown) {
      // Somebody who has the volume already made one of that name: that one stays.
      if (!isKind(thrown, 'conflict')) throw thrown;
    }
  }
  copyDirectoryMarks(stage, target);
  dropTree(target, FILLED);
  utimensat(target, '.', times);
}

/** By descriptors: who has the volume already may put a link into its place meanwhile. */
function dropTree(target: Fd, name: string): void {
  try {
    removeTree(target, name);
  } catch (thrown) {
    if (!isKind(thrown, 'not-found')) throw thrown;
  }
}

function openSource(rootfs: string, destination: string): Fd | undefined {
  try {
    return openInRoot(rootfs, destination, O.RDONLY | O.DIRECTORY);
  } catch (thrown) {
    if (isKind(thrown, 'not-found')) return undefined;
    const code = thrown instanceof WharfError ? errnoCode(thrown.cause) : undefined;
    if (code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw thrown;
  }
}

const procPath = (fd: Fd) => `/proc/self/fd/${fd.fd}`;

async function copyDirectory(state: CopyState, source: Fd, target: Fd, path: string): Promise<void> {
  for (const name of readdirSync(procPath(source))) {
    state.entries += 1;
    if (state.entries % ENTRIES_A_TURN === 0) await setImmediate();
    await copyEntry(state, source, target, path, name);
  }
  copyDirectoryMarks(source, target);
}

function copyDirectoryMarks(source: Fd, target: Fd): void {
  const stat = fstatat(source, '');
  fchownSync(target.fd, stat.uid, stat.gid);
  fchmodSync(target.fd, stat.mode & 0o7777);
  copyAttributes(source, target);
  utimensat(target, '.', { atimeNs: stat.atimeNs, mtimeNs: stat.mtimeNs });
}

async function copyEntry(
  state: CopyState,
  source: Fd,
  target: Fd,
  path: string,
  name: string,
): Promise<void> {
  const stat = fstatat(source, name);
  const kind = stat.mode & S_IFMT;
  if (kind === S_IFDIR) {
    mkdirat(target, name, 0o700);
    using from = openBeneath(source, name, O.RDONLY | O.DIRECTORY);
    using to = openBeneath(target, name, O.RDONLY | O.DIRECTORY);
    // Awaited here, since the descriptors close when this block is left.
    await copyDirectory(state, from, to, `${path}/${name}`);
    return;
  }
  if (stat.nlink > 1) {
    const first = state.linked.get(stat.ino);
    if (first) {
      using directory = openBeneath(state.target, first.directory, O.PATH | O.DIRECTORY);
      return linkat(directory, first.name, target, name);
    }
    state.linked.set(stat.ino, { directory: path, name });
  }
  if (kind === S_IFREG) return copyFile(state, source, target, name);
  if (kind === S_IFLNK) symlinkat(readlinkat(source, name), target, name);
  else mknodat(target, name, stat.mode, stat.rdevMajor, stat.rdevMinor);
  fchownat(target, name, stat.uid, stat.gid);
  if (kind !== S_IFLNK) fchmodat(target, name, stat.mode & 0o7777);
  else copyLinkAttributes(`${procPath(source)}/${name}`, `${procPath(target)}/${name}`);
  utimensat(target, name, { atimeNs: stat.atimeNs, mtimeNs: stat.mtimeNs });
}

async function copyFile(state: CopyState, source: Fd, target: Fd, name: string): Promise<void> {
  using from = openBeneath(source, name, O.RDONLY | O.NONBLOCK);
  using to = openat2(target, name, {
    flags: O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC,
    mode: 0o600,
    resolve: RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS,
  });
  const stat = fstatat(from, '');
  for (let length = 1; length > 0; ) {
    length = readSync(from.fd, state.buffer, 0, CHUNK, null);
    for (let written = 0; written < length; ) {
      written += writeSync(to.fd, state.buffer, written, length - written);
    }
    if (length === CHUNK) await setImmediate();
  }
  // Owner first: a change of owner takes set-id bits and file capabilities away.
  fchownSync(to.fd, stat.uid, stat.gid);
  fchmodSync(to.fd, stat.mode & 0o7777);
  copyAttributes(from, to);
  utimensat(target, name, { atimeNs: stat.atimeNs, mtimeNs: stat.mtimeNs });
}

function openBeneath(directory: Fd, name: string, flags: number): Fd {
  return openat2(directory, name, {
    flags: flags | O.NOFOLLOW | O.CLOEXEC,
    resolve: RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS | RESOLVE.NO_MAGICLINKS,
  });
}

/** Overlay's own marks and the host's labels are not the image's. */
const foreign = (name: string) =>
  name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.') || name === 'security.selinux';

function copyAttributes(source: Fd, target: Fd): void {
  for (const name of flistxattr(source)) {
    const value = foreign(name) ? undefined : fgetxattr(source, name);
    if (value) fsetxattr(target, name, value);
  }
}

function copyLinkAttributes(source: string, target: string): void {
  for (const name of llistxattr(source)) {
    const value = foreign(name) ? undefined : lgetxattr(source, name);
    if (value) lsetxattr(target, name, value);
  }
}
