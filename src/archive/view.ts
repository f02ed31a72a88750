import { constants } from 'node:os';
import {
  duplicateFd,
  type Fd,
  type FileStat,
  fstatat,
  isErrno,
  O,
  openat2,
  RESOLVE,
  readlinkat,
  systemError,
} from '../sys/index.ts';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;
/** As many links as Go's and most programs' own walks take; the kernel takes 40. */
const MAX_LINKS = 255;
/** PATH_MAX: also bounds the descriptors that a walk holds. */
const MAX_PATH = 4096;
const ONE_NAME = RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS | RESOLVE.NO_MAGICLINKS;

/** A mount of a view. */
export interface ViewMount {
  /** Absolute, as the container names it; links in it are resolved in the view. */
  path: string;
  /** O_PATH descriptor of what is mounted: a folder or a file. */
  fd: number;
  readOnly: boolean;
}

/**
 * A container's files as it sees them, without a mount made for it: a root and what is mounted beneath. All descriptors
 * are the caller's, who keeps them open for as long as anything works on the view.
 */
export interface TreeView {
  /** O_PATH descriptor of the root folder. */
  root: number;
  /** True when nothing but the mounts may be written to. */
  readOnly?: boolean;
  /** Of two at one path the later one counts. */
  mounts: readonly ViewMount[];
}

/** Where a path leads in a view. */
export interface Located extends Disposable {
  /** Absolute and without links, but for the last name where that was not followed. */
  path: string;
  /** The folder that holds it; of the root: the root. */
  parent: Fd;
  /** Its name in the folder; empty for the root. */
  name: string;
  /** O_PATH descriptor of it; undefined when there is nothing of that name. */
  fd: Fd | undefined;
  stat: FileStat | undefined;
  /** The text of the link that it is. */
  linkTarget?: string;
  /** True when it lies on a mount, or a root, that must not be written to. */
  readOnly: boolean;
  /** True when it is what a mount put there. */
  mounted: boolean;
}

/** How a path is walked. */
export interface WalkOptions {
  /** Whether a link in the last place is followed. One with a slash behind always is. */
  followLast: boolean;
  /** Makes a folder that is missing, also in the last place; without it the walk ends with `not-found`. */
  make?: (parent: Fd, name: string, readOnly: boolean) => void;
}

/** A view whose mounts are known by their resolved paths. Made once for any number of walks. */
export interface ResolvedView {
  root: number;
  readOnly: boolean;
  mounts: ReadonlyMap<string, ViewMount>;
}

interface Frame {
  fd: Fd;
  path: string;
  readOnly: boolean;
  mounted: boolean;
}

/** Resolves the paths of a view's mounts, each in what the shallower ones show. */
export function resolveView({ root, readOnly = false, mounts }: TreeView): ResolvedView {
  const resolved = new Map<string, ViewMount>();
  const view: ResolvedView = { root, readOnly, mounts: resolved };
  const depth = ({ path }: ViewMount) => names(path).length;
  for (const mount of mounts.toSorted((a, b) => depth(a) - depth(b))) {
    resolved.set(mountPath(view, mount.path), mount);
  }
  return view;
}

function mountPath(view: ResolvedView, path: string): string {
  try {
    using place = walk(view, path, { followLast: true });
    return place.path;
  } catch (thrown) {
    // Nothing to put it on: it is not seen unless the path comes into being.
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG')) return `/${names(path).join('/')}`;
    throw thrown;
  }
}

/**
 * Walks a path in a view, one name at a time from held descriptors: links are read and walked from the view's root or
 * from their folder, `..` never leaves the root, mounts are stepped onto by their paths. Whoever moves or replaces names
 * meanwhile leads it to other places of the view, and nowhere else. Errors (with the errno as the cause's `code`): ENOENT
 * for a name on the way, ENOTDIR, ELOOP, ENAMETOOLONG.
 */
export function locate(view: TreeView, path: string, options: WalkOptions): Located {
  return walk(resolveView(view), path, options);
}

/** As `locate`, in a view that is resolved already. */
export function walk(view: ResolvedView, path: string, options: WalkOptions): Located {
  const frames: Frame[] = [];
  try {
    const top = view.mounts.get('/');
    const readOnly = top?.readOnly ?? view.readOnly;
    frames.push({ fd: duplicateFd(top?.fd ?? view.root), path: '/', readOnly, mounted: top !== undefined });
    return walkFrom(view, frames, path, options);
  } finally {
    for (const { fd } of frames) fd.close();
  }
}

function walkFrom(view: ResolvedView, frames: Frame[], path: string, options: WalkOptions): Located {
  const todo = path.split('/').reverse();
  let links = 0;
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (frames.length > 1) frames.pop()?.fd.close();
      continue;
    }
    const parent = frames.at(-1) as Frame;
    const found = step(view, parent, name, options.make);
    if (!found) {
      if (todo.some((rest) => rest !== '' && rest !== '.'))
        throw systemError('open', path, constants.errno.ENOENT);
      return missing(parent, name, frames);
    }
    const type = found.stat.mode & S_IFMT;
    if (type === S_IFDIR) {
      frames.push(found);
      continue;
    }
    if (type === S_IFLNK && (todo.length > 0 || options.followLast)) {
      using link = found.fd;
      links += 1;
      if (links > MAX_LINKS) throw systemError('open', path, constants.errno.ELOOP);
      const text = readlinkat(link, '');
      if (text.startsWith('/')) for (const { fd } of frames.splice(1)) fd.close();
      todo.push(...text.split('/').reverse());
      continue;
    }
    if (todo.length > 0) {
      found.fd.close();
      throw systemError('open', path, constants.errno.ENOTDIR);
    }
    return located(found, name, keep(parent, frames));
  }
  return folder(frames);
}

/** What a name of a folder is: what is mounted there, or its entry. */
function step(
  view: ResolvedView,
  parent: Frame,
  name: string,
  make: WalkOptions['make'],
): (Frame & { stat: FileStat }) | undefined {
  const path = below(parent.path, name);
  if (path.length > MAX_PATH) throw systemError('open', path.slice(0, 200), constants.errno.ENAMETOOLONG);
  const mount = view.mounts.get(path);
  const fd = mount ? duplicateFd(mount.fd) : (openName(parent.fd, name) ?? makeName(parent, name, make));
  if (!fd) return undefined;
  try {
    const readOnly = mount?.readOnly ?? parent.readOnly;
    return { fd, path, readOnly, mounted: mount !== undefined, stat: fstatat(fd, '') };
  } catch (thrown) {
    fd.close();
    throw thrown;
  }
}

function makeName(parent: Frame, name: string, make: WalkOptions['make']): Fd | undefined {
  if (!make) return undefined;
  make(parent.fd, name, parent.readOnly);
  return openName(parent.fd, name);
}

/** A descriptor of whatever the name of the folder is, without opening it for reading: a FIFO or a device must not be touched. */
export function openName(folder: Fd, name: string): Fd | undefined {
  try {
    return openat2(folder, name, { flags: O.PATH | O.NOFOLLOW, resolve: ONE_NAME });
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}

/** The path of a name in a folder. */
export function below(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`;
}

/** Takes the frame's descriptor out of the walk, which would close it. */
function keep(frame: Frame, frames: Frame[]): Frame {
  frames.splice(frames.indexOf(frame), 1);
  return frame;
}

function missing(parent: Frame, name: string, frames: Frame[]): Located {
  const { fd, path, readOnly } = keep(parent, frames);
  return {
    path: below(path, name),
    parent: fd,
    name,
    fd: undefined,
    stat: undefined,
    readOnly,
    mounted: false,
    [Symbol.dispose]: () => fd.close(),
  };
}

function folder(frames: Frame[]): Located {
  const last = frames.at(-1) as Frame;
  const stat = fstatat(last.fd, '');
  const parent = frames.at(-2);
  const own = keep(last, frames);
  if (parent)
    return located({ ...own, stat }, own.path.slice(own.path.lastIndexOf('/') + 1), keep(parent, frames));
  return located({ ...own, stat }, '', { ...own, fd: duplicateFd(own.fd) });
}

function located(found: Frame & { stat: FileStat }, name: string, parent: Frame): Located {
  const { fd, stat, path, readOnly, mounted } = found;
  return {
    path,
    parent: parent.fd,
    name,
    fd,
    stat,
    ...((stat.mode & S_IFMT) === S_IFLNK ? { linkTarget: readlinkat(fd, '') } : {}),
    readOnly,
    mounted,
    [Symbol.dispose]() {
      fd.close();
      parent.fd.close();
    },
  };
}

function names(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
