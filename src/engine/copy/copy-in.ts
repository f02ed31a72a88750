import { extractView, type Located, locate, type TreeView } from '../../archive/index.ts';
import { isKind, WharfError } from '../../base/index.ts';
import { isErrno } from '../../sys/index.ts';
import { publishContainerEvent } from '../containers/index.ts';
import { type ContainerPath, containerPath } from './container-path.ts';
import { type ContainerView, openContainerView } from './container-view.ts';
import { lookupError, noSuchFile, refuseNul } from './copy-errors.ts';
import type { CopyDeps } from './types.ts';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;

/** How an archive is put into a container. */
export interface CopyInOptions {
  /** A folder is not replaced by something else, nor something else by a folder. */
  noOverwriteDirNonDir: boolean;
  /** All entries belong to the user whom the container runs as, when its config names one. */
  copyUidGid: boolean;
}

/** Extracts an archive into a folder of a container. On error what was extracted stays, as in Docker. */
export async function copyIn(
  deps: CopyDeps,
  ref: string,
  asked: string,
  source: AsyncIterable<Uint8Array>,
  { noOverwriteDirNonDir, copyUidGid }: CopyInOptions,
  signal: AbortSignal,
): Promise<void> {
  const path = containerPath(asked);
  refuseNul(path);
  await using files = await openContainerView(deps, ref);
  const folder = targetFolder(files.view, ref, path);
  const owner = copyUidGid ? containerUser(deps, files) : undefined;
  try {
    await extractView(files.view, folder, source, {
      overwriteDirNonDir: !noOverwriteDirNonDir,
      owner,
      signal,
    });
  } catch (thrown) {
    throw extractionError(ref, path, thrown);
  }
  publishContainerEvent(deps.events, files.record, 'extract-to-dir');
}

/** The folder of a path, without links. Errors: Docker's for a path that is missing, is no folder or must not be written to. */
export function targetFolder(view: TreeView, ref: string, path: ContainerPath): string {
  using place = find(view, ref, path);
  if (!place.stat) throw noSuchFile(ref, path);
  if ((place.stat.mode & S_IFMT) !== S_IFDIR) {
    throw new WharfError('invalid', 'extraction point is not a directory');
  }
  if (place.readOnly) throw readOnly(view, place);
  return place.path;
}

function find(view: TreeView, ref: string, path: ContainerPath): Located {
  const bare = path.ending === '' ? path.path : path.path.slice(0, -path.ending.length) || '/';
  try {
    return refuseEnding(locate(view, bare, { followLast: true }), path);
  } catch (thrown) {
    // As Go's EvalSymlinks says it, which the reference calls here.
    if (isErrno(thrown, 'ENOTDIR')) throw new WharfError('internal', 'not a directory', { cause: thrown });
    if (isErrno(thrown, 'ELOOP'))
      throw new WharfError('internal', 'EvalSymlinks: too many links', { cause: thrown });
    throw lookupError(ref, path, path.path, thrown);
  }
}

/** Only a folder may have a slash behind. */
function refuseEnding(place: Located, { ending }: ContainerPath): Located {
  if (ending === '' || !place.stat || (place.stat.mode & S_IFMT) === S_IFDIR) return place;
  place[Symbol.dispose]();
  throw new WharfError('internal', `lstat ${place.path}${ending}: not a directory`);
}

function readOnly(view: TreeView, { path }: Located): WharfError {
  using place = locate({ ...view, readOnly: false }, path, { followLast: false });
  return new WharfError(
    'invalid',
    place.readOnly ? 'mounted volume is marked read-only' : 'container rootfs is marked read-only',
  );
}

/** The user whom the container runs as; undefined when its config names none. Errors: `invalid`. */
export function containerUser(deps: CopyDeps, { root, record }: ContainerView) {
  const user = record.config.User ?? '';
  // Without a user the archive's owners stay, in Docker as well.
  if (user === '') return undefined;
  try {
    const { uid, gid } = deps.resolveUser(root, user);
    return { uid, gid };
  } catch (thrown) {
    if (!isKind(thrown, 'invalid')) throw thrown;
    const [name = ''] = user.split(':', 1);
    const reason = WharfError.from(thrown).message;
    const why = reason.slice(reason.indexOf(': ') + 2);
    throw new WharfError('invalid', `failed to look up user ${JSON.stringify(name)} in container: ${why}`, {
      cause: thrown,
    });
  }
}

/** A name that vanished is told as the missing path, as in Docker; faults of an archive are no faults of the request. */
export function extractionError(ref: string, path: ContainerPath, thrown: unknown): unknown {
  if (isErrno(thrown, 'ENOENT')) return noSuchFile(ref, path, thrown);
  if (isErrno(thrown, 'EBUSY')) return busy(WharfError.from(thrown));
  if (
    !(thrown instanceof WharfError) ||
    !['invalid', 'corrupt', 'conflict', 'forbidden'].includes(thrown.kind)
  )
    return thrown;
  return new WharfError('internal', thrown.message, { cause: thrown });
}

/** What replacing a mount fails with, in Go's words; the entry's name stands between the call and the reason. */
function busy(thrown: WharfError): WharfError {
  const name = /^\S+ (.+?)\/?: /s.exec(thrown.message)?.[1] ?? '';
  return new WharfError('internal', `RemoveAll ${name}: device or resource busy`, { cause: thrown });
}
