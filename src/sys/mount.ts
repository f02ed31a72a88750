import { WharfError } from '../base/index.ts';
import { check, cString, isErrno } from './errno.ts';
import { type Fd, O } from './fd.ts';
import { libcFunction, libcFunctionLater } from './libc.ts';
import { openat2 } from './openat2.ts';

const MS = {
  RDONLY: 1,
  REMOUNT: 32,
  BIND: 4096,
  REC: 16384,
  RELATIME: 1 << 21,
  STRICTATIME: 1 << 24,
} as const;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

interface Word {
  set?: number;
  clear?: number;
  propagation?: number;
}

/** The words of mount(8), with `r…` for the recursive ones. */
const words: Record<string, Word> = {
  defaults: {},
  ro: { set: MS.RDONLY },
  rw: { clear: MS.RDONLY },
  nosuid: { set: 2 },
  suid: { clear: 2 },
  nodev: { set: 4 },
  dev: { clear: 4 },
  noexec: { set: 8 },
  exec: { clear: 8 },
  sync: { set: 16 },
  async: { clear: 16 },
  remount: { set: MS.REMOUNT },
  dirsync: { set: 128 },
  nosymfollow: { set: 256 },
  symfollow: { clear: 256 },
  noatime: { set: 1024 },
  atime: { clear: 1024 },
  nodiratime: { set: 2048 },
  diratime: { clear: 2048 },
  bind: { set: MS.BIND },
  rbind: { set: MS.BIND | MS.REC },
  silent: { set: 1 << 15 },
  relatime: { set: MS.RELATIME },
  norelatime: { clear: MS.RELATIME },
  strictatime: { set: MS.STRICTATIME },
  nostrictatime: { clear: MS.STRICTATIME },
  lazytime: { set: 1 << 25 },
  nolazytime: { clear: 1 << 25 },
  unbindable: { propagation: 1 << 17 },
  runbindable: { propagation: (1 << 17) | MS.REC },
  private: { propagation: 1 << 18 },
  rprivate: { propagation: (1 << 18) | MS.REC },
  slave: { propagation: 1 << 19 },
  rslave: { propagation: (1 << 19) | MS.REC },
  shared: { propagation: 1 << 20 },
  rshared: { propagation: (1 << 20) | MS.REC },
};

/** What to mount. Paths are trusted; for one that a container controls, pass `/proc/self/fd/N` of an `openInRoot` descriptor. */
export interface MountRequest {
  source: string;
  target: string;
  /** File system type; leave out for binds, remounts and changes of propagation. */
  type?: string;
  /** Words of mount(8): `ro`, `bind`, `rprivate` … An unknown word is `invalid`; file system options go to `data`. */
  flags?: readonly string[];
  /** Options of the file system, joined by commas. At most 4095 bytes (the kernel's page). */
  data?: string;
}

const mountCall = libcFunction<[string | null, string, string | null, number, string | null]>(
  'int mount(const char *source, const char *target, const char *type, ulong flags, const char *data)',
);
const umountCall = libcFunction<[string, number]>('int umount2(const char *target, int flags)');
const syncfsCall = libcFunctionLater<[number]>('int syncfs(int fd)');

/**
 * Mounts. The kernel ignores other flags on a bind, so a bind with such flags is followed by a remount, and propagation
 * is set by a call of its own, both as mount(8) does; when one of these fails, the new mount is taken away again.
 */
export function mount(request: MountRequest): void {
  const { flags, propagation } = parseFlags(request.flags ?? []);
  const { source, target, type, data = '' } = request;
  if (Buffer.byteLength(data) > 4095) {
    throw new WharfError('invalid', `mount ${target}: options are longer than the kernel takes (4095 bytes)`);
  }
  const isNew = (flags & MS.REMOUNT) === 0 && (flags !== 0 || type !== undefined);
  if (isNew || flags & MS.REMOUNT) call(source, target, type, flags, data);
  try {
    const restrictions = flags & ~(MS.BIND | MS.REC);
    if (isNew && flags & MS.BIND && restrictions) {
      call(source, target, undefined, MS.REMOUNT | MS.BIND | restrictions, data);
    }
    for (const change of propagation) call(source, target, undefined, change, '');
  } catch (thrown) {
    if (isNew) umount(target, { detach: true });
    throw thrown;
  }
}

function call(source: string, target: string, type: string | undefined, flags: number, data: string): void {
  const result = mountCall(
    cString(source),
    cString(target),
    type ?? null,
    flags,
    data ? cString(data) : null,
  );
  check(result, 'mount', target);
}

function parseFlags(names: readonly string[]): { flags: number; propagation: number[] } {
  let flags = 0;
  const propagation: number[] = [];
  for (const name of names) {
    const word = Object.hasOwn(words, name) ? words[name] : undefined;
    if (!word) throw new WharfError('invalid', `unknown mount flag ${JSON.stringify(name)}`);
    flags = (flags | (word.set ?? 0)) & ~(word.clear ?? 0);
    if (word.propagation) propagation.push(word.propagation);
  }
  return { flags, propagation };
}

/** Unmounts what is mounted on `target` (never through a link in the last place). With `detach`, at once even when busy. */
export function umount(target: string, options: { detach?: boolean } = {}): void {
  const flags = UMOUNT_NOFOLLOW | (options.detach ? MNT_DETACH : 0);
  check(umountCall(cString(target), flags), 'umount', target);
}

/** Unmounts; true when something was mounted there, false when nothing was or the path is missing. */
export function umountIfMounted(target: string, options: { detach?: boolean } = {}): boolean {
  try {
    umount(target, options);
    return true;
  } catch (thrown) {
    if (isErrno(thrown, 'EINVAL', 'ENOENT')) return false;
    throw thrown;
  }
}

/**
 * Takes what is mounted on `target` out of the tree at once, even when busy. Resolves once its file system is let go of, off
 * the event loop: an overlay that nobody uses any more writes all that is dirty on the file system below it to the disk.
 */
export async function umountLater(target: string): Promise<void> {
  let held: Fd;
  try {
    held = openat2('.', target, { flags: O.PATH | O.NOFOLLOW });
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return;
    throw thrown;
  }
  try {
    umountIfMounted(target, { detach: true });
  } finally {
    await held.closeLater();
  }
}

/**
 * Writes all of the file system that holds the file to its disk, off the event loop: it may take seconds where much is
 * dirty. A failure of the disk is told without its errno.
 */
export async function syncfs(path: string): Promise<void> {
  using opened = openat2('.', path, { flags: O.RDONLY | O.NONBLOCK });
  if ((await syncfsCall(opened.fd)) < 0)
    throw new WharfError('internal', `syncfs ${path}: the disk did not take all of it`);
}

/** Sizes of a file system: blocks of `blockSize` bytes, and inodes. */
export interface FileSystemStat {
  /** The magic number (statfs(2)): 0x794c7630 for overlay. */
  type: number;
  blockSize: number;
  blocks: number;
  bfree: number;
  bavail: number;
  files: number;
  ffree: number;
  /** What the mount that the path lies on forbids, in words of mount(8): `ro`, `nosuid`, `nodev`, `noexec`, `nosymfollow`. */
  restrictions: string[];
}

/** Bits of `f_flags` (statfs(2)). */
const RESTRICTIONS: readonly [bit: bigint, word: string][] = [
  [1n, 'ro'],
  [2n, 'nosuid'],
  [4n, 'nodev'],
  [8n, 'noexec'],
  [0x2000n, 'nosymfollow'],
];

const statfsCall = libcFunction<[string, Buffer]>('int statfs(const char *path, void *stat)');

/** What `statfs(2)` says of the file system that holds the path, and of its mount; a link is followed. */
export function statfs(path: string): FileSystemStat {
  const stat = Buffer.alloc(120);
  check(statfsCall(cString(path), stat), 'statfs', path);
  const field = (index: number) => stat.readBigUInt64LE(index * 8);
  const number = (index: number) => Number(field(index));
  return {
    type: number(0),
    blockSize: number(1),
    blocks: number(2),
    bfree: number(3),
    bavail: number(4),
    files: number(5),
    ffree: number(6),
    restrictions: RESTRICTIONS.filter(([bit]) => field(10) & bit).map(([, word]) => word),
  };
}
