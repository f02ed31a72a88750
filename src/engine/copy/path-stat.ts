import { posix } from 'node:path';
import { type Located, locate, type TreeView } from '../../archive/index.ts';
import { rfc3339Nano, WharfError } from '../../base/index.ts';
import { type FileStat, isErrno } from '../../sys/index.ts';
import { type ContainerPath, containerPath } from './container-path.ts';
import { openContainerView } from './container-view.ts';
import { lookupError, noSuchFile, refuseNul } from './copy-errors.ts';
import type { CopyDeps } from './types.ts';

/** What clients are told of a path; see the server's contract. */
export interface PathStat {
  name: string;
  size: number;
  mode: number;
  mtime: string;
  linkTarget: string;
}

const S_IFMT = 0o170000;
/** Kinds of files as bits of Go's `fs.FileMode`. */
const GO_KINDS = new Map<number, number>([
  [0o040000, 2 ** 31],
  [0o120000, 2 ** 27],
  [0o060000, 2 ** 26],
  [0o010000, 2 ** 25],
  [0o140000, 2 ** 24],
  [0o020000, 2 ** 26 + 2 ** 21],
]);
const GO_SETUID = 2 ** 23;
const GO_SETGID = 2 ** 22;
const GO_STICKY = 2 ** 20;
/** As many links as Go's walk takes. */
const MAX_LINKS = 255;

/** What a path of a container is. A link in the last place is not followed, unless a slash or `/.` is behind it. */
export async function statContainerPath(deps: CopyDeps, ref: string, asked: string): Promise<PathStat> {
  const path = containerPath(asked);
  refuseNul(path);
  await using files = await openContainerView(deps, ref);
  return statPath(files.view, ref, path);
}

/** As `statContainerPath`, in files that are open. */
export function statPath(view: TreeView, ref: string, path: ContainerPath): PathStat {
  using place = find(view, ref, path);
  if (!place.stat) throw noSuchFile(ref, path);
  return {
    name: path.name,
    size: place.stat.size,
    mode: goMode(place.stat),
    mtime: rfc3339Nano(place.stat.mtimeNs),
    linkTarget: place.linkTarget === undefined ? '' : linkEnd(view, place, ref, path),
  };
}

function find(view: TreeView, ref: string, path: ContainerPath): Located {
  try {
    return locate(view, path.path, { followLast: false });
  } catch (thrown) {
    throw lookupError(ref, path, path.path, thrown);
  }
}

function goMode({ mode }: FileStat): number {
  return (
    (mode & 0o777) +
    (GO_KINDS.get(mode & S_IFMT) ?? 0) +
    (mode & 0o4000 ? GO_SETUID : 0) +
    (mode & 0o2000 ? GO_SETGID : 0) +
    (mode & 0o1000 ? GO_STICKY : 0)
  );
}

/** The path at the end of a chain of links; where nothing is, by the letters. */
function linkEnd(view: TreeView, link: Located, ref: string, path: ContainerPath): string {
  let next = targetOf(link.path, link.linkTarget ?? '');
  for (let links = 0; links < MAX_LINKS; links += 1) {
    try {
      using place = locate(view, next, { followLast: false });
      if (place.linkTarget === undefined) return place.path;
      next = targetOf(place.path, place.linkTarget);
    } catch (thrown) {
      if (isErrno(thrown, 'ENOENT')) return lexical(next);
      throw lookupError(ref, path, lexical(next), thrown);
    }
  }
  throw new WharfError('internal', `evalSymlinksInScope: too many links in ${path.path}`);
}

function targetOf(path: string, text: string): string {
  return text.startsWith('/') ? text : `${posix.dirname(path)}/${text}`;
}

function lexical(path: string): string {
  return posix.join('/', path).replace(/(?<=.)\/+$/, '');
}
