import { posix } from 'node:path';

/** An operand of `cp`: a path here, or one in a container. */
export interface CopyOperand {
  container?: string;
  path: string;
}

/** Reads `CONTAINER:PATH` or a path here; `./a:b` and `/a:b` are paths. */
export function copyOperand(text: string): CopyOperand {
  const colon = text.indexOf(':');
  if (text.startsWith('/') || text.startsWith('.') || colon <= 0) return { path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}

/** A path's last name; `.` for an empty path, `/` for the root. */
export function baseName(path: string): string {
  if (path === '') return '.';
  const bare = path.replace(/\/+$/, '');
  return bare === '' ? '/' : bare.slice(bare.lastIndexOf('/') + 1);
}

/** True for a path that ends in `.`, which means the contents of a folder. */
export function meansContents(path: string): boolean {
  return baseName(path) === '.';
}

/** True for a path that can only be a folder: it ends in a slash or in `.`. */
export function wantsFolder(path: string): boolean {
  return path.endsWith('/') || meansContents(path);
}

/** A path without `.`, `..` and doubled slashes; nothing is `.`. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 ? clean.replace(/\/+$/, '') : clean;
}

/** The slash or the `.` at the end of `original`, which cleaning took away. */
export function withEndOf(original: string, cleaned: string): string {
  let path = cleaned;
  if (meansContents(original) && !meansContents(path)) path += path.endsWith('/') ? '.' : '/.';
  if (original.endsWith('/') && !path.endsWith('/')) path += '/';
  return path;
}

/** The folder of a path and its last name, which is `.` for the contents of the folder. */
export function splitPath(path: string): { folder: string; name: string } {
  const clean = cleanPath(path);
  if (meansContents(path)) return { folder: clean, name: '.' };
  return { folder: posix.dirname(clean), name: baseName(clean) };
}

/** A path below another that is not absolute itself. */
export function resolveBeside(path: string, link: string): string {
  return link.startsWith('/') ? link : posix.join(splitPath(path).folder, link);
}

/** One end of a copy. */
export interface CopyEnd {
  path: string;
  exists: boolean;
  isFolder: boolean;
}

/** Where a copy goes: the folder that it is unpacked in, and the name that it gets there; undefined keeps its own. */
export interface Placement {
  folder: string;
  name: string | undefined;
}

/** Decides where a copy goes, as `cp -R` does, with Docker's texts. Throws Error. */
export function placeCopy(sourceIsFolder: boolean, target: CopyEnd): Placement {
  const { folder, name } = splitPath(target.path);
  if (target.exists && target.isFolder) return { folder: target.path, name: undefined };
  if (target.exists && sourceIsFolder) throw new Error('cannot copy directory');
  if (!target.exists && !sourceIsFolder && wantsFolder(target.path)) throw new Error('no such directory');
  return { folder, name };
}

/**
 * The path and the name of what a link led to, when its contents or a folder was asked for by the link's name: what is
 * copied keeps the name that was asked for.
 */
export function renamedByLink(asked: string, resolved: string): { path: string; name: string | undefined } {
  const path = withEndOf(asked, resolved);
  return { path, name: baseName(asked) === baseName(path) ? undefined : baseName(asked) };
}
