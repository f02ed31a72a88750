import { resolve } from 'node:path';
import { errnoCode, WharfError } from '../../base/index.ts';
import { fileError, nodeFs } from '../files.ts';
import {
  baseName,
  type CopyEnd,
  cleanPath,
  meansContents,
  renamedByLink,
  resolveBeside,
  splitPath,
  wantsFolder,
  withEndOf,
} from './paths.ts';

/** A path here as absolute, with the slash or the `.` at its end kept. */
export function absolutePath(path: string): string {
  return withEndOf(path, resolve(path));
}

/** What is to be copied from here. */
export interface LocalSource {
  /** An existing folder without links in its path. */
  folder: string;
  /** The name in it; `.` for its contents. */
  name: string;
  /** The name that it is to be known by. */
  shownName: string;
  isFolder: boolean;
}

/** Looks at what is to be copied; `path` is absolute. Throws WharfError `invalid` with Docker's texts. */
export function localSource(path: string, followLink: boolean): LocalSource {
  const { path: resolved, name } = resolveSource(path, followLink);
  const stat = lstat(resolved.replace(/\/+$/, '') || '/');
  if (wantsFolder(path) && !stat.isDirectory()) throw new WharfError('invalid', 'not a directory');
  const place = splitPath(resolved);
  return {
    folder: place.folder,
    name: place.name,
    shownName: name ?? place.name,
    isFolder: stat.isDirectory(),
  };
}

function resolveSource(path: string, followLink: boolean): { path: string; name: string | undefined } {
  if (followLink) return renamedByLink(path, realPath(path));
  const cut = path.lastIndexOf('/') + 1;
  const [folder, base] = [path.slice(0, cut), path.slice(cut)];
  const resolved = `${realPath(folder).replace(/\/+$/, '')}/${base}`;
  const renamed = path.endsWith('/') && baseName(path) !== baseName(resolved);
  return { path: resolved, name: renamed ? baseName(path) : undefined };
}

function realPath(path: string): string {
  try {
    return nodeFs().realpathSync.native(path);
  } catch (thrown) {
    const bare = path.replace(/(?<=.)\/+$/, '');
    const code = errnoCode(thrown);
    // A file with a slash behind: what it is not is the answer.
    if (code === 'ENOTDIR' && wantsFolder(path)) throw new WharfError('invalid', 'not a directory');
    if (code === 'ELOOP') throw new WharfError('invalid', 'EvalSymlinks: too many links', { cause: thrown });
    throw failure('lstat', linkEnd(bare), thrown);
  }
}

/** What a link that leads nowhere leads to. */
function linkEnd(path: string): string {
  const { readlinkSync } = nodeFs();
  try {
    return resolveBeside(path, readlinkSync(path));
  } catch {
    return path;
  }
}

/** So many links in a row are followed at the place where a copy goes. Source: Docker's client. */
const MAX_LINKS = 10;

/** Looks at the place here where a copy goes; `path` is absolute. Links are followed. Throws WharfError `invalid`. */
export function localTarget(path: string): CopyEnd {
  let at = path;
  for (let links = 0; ; links++) {
    const stat = found(at);
    if (!stat) {
      const { folder } = splitPath(at);
      if (!statOf(folder).isDirectory()) throw new WharfError('invalid', 'not a directory');
      return { path: at, exists: false, isFolder: false };
    }
    if (!stat.isSymbolicLink()) return { path: at, exists: true, isFolder: stat.isDirectory() };
    if (links > MAX_LINKS) throw new WharfError('invalid', `too many symlinks in "${path}"`);
    at = resolveBeside(at, nodeFs().readlinkSync(at));
  }
}

/** Refuses a place here that cannot take a copy: in a folder that is missing, or a device. Throws WharfError `invalid`. */
export function checkTarget(path: string): void {
  const { folder } = splitPath(cleanPath(path));
  const { statSync } = nodeFs();
  if (!statSync(folder, { throwIfNoEntry: false }))
    throw new WharfError(
      'invalid',
      `invalid output path: directory ${JSON.stringify(folder)} does not exist`,
    );
  const stat = statOrNothing(path);
  if (stat?.isCharacterDevice() || stat?.isBlockDevice())
    throw new WharfError(
      'invalid',
      `invalid output path: ${JSON.stringify(path)} must be a directory or a regular file: got a device`,
    );
}

function found(path: string) {
  try {
    return nodeFs().lstatSync(meansContents(path) ? splitPath(path).folder : path, { throwIfNoEntry: false });
  } catch (thrown) {
    throw failure('lstat', path, thrown);
  }
}

function lstat(path: string) {
  try {
    return nodeFs().lstatSync(path);
  } catch (thrown) {
    throw failure('lstat', path, thrown);
  }
}

/** Node itself tells nothing by nothing also where a file stands in the way, which is an error here. */
function statOrNothing(path: string) {
  try {
    return nodeFs().statSync(path);
  } catch (thrown) {
    if (errnoCode(thrown) === 'ENOENT') return undefined;
    throw failure('stat', path, thrown);
  }
}

function statOf(path: string) {
  try {
    return nodeFs().statSync(path);
  } catch (thrown) {
    throw failure('stat', path, thrown);
  }
}

function failure(call: string, path: string, thrown: unknown): WharfError {
  const { message } = fileError(path, thrown);
  return new WharfError('invalid', message.replace(/^(open|read)/, call), { cause: thrown });
}
