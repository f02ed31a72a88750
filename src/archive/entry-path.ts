import { WharfError } from '../base/index.ts';
import { encodeName } from '../sys/index.ts';
import { refuse } from './limits.ts';

const PREFIX = '.wh.';
const META_PREFIX = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';

/** What the name of a layer's entry asks for. */
export type LayerPath =
  | { kind: 'root' }
  | { kind: 'entry' | 'whiteout'; parent: string; name: string }
  | { kind: 'opaque'; parent: string }
  | { kind: 'skip' };

/**
 * Cleans an entry's name to components below the root. `..` is resolved by its letters, as Docker does; a name that would
 * leave the root is `invalid`.
 */
export function cleanPath(name: string): string[] {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined)
      refuse(`the name ${JSON.stringify(name.slice(0, 200))} leads out of its root`);
  }
  return parts;
}

/**
 * Reads an entry's name as OCI layers use it (image-spec `layer.md`, "Whiteouts"): `.wh.x` deletes x, `.wh..wh..opq` hides
 * all that lies below its directory, other `.wh..wh.` names are AUFS's own and are skipped. Errors: `invalid`.
 */
export function layerPath(entryName: string): LayerPath {
  const parts = cleanPath(entryName);
  const name = parts.pop();
  if (name === undefined) return { kind: 'root' };
  if (encodeName(name).length > 255 + PREFIX.length) refuse('a component of a name has more than 255 bytes');
  for (const part of parts) {
    if (part.startsWith(META_PREFIX)) return { kind: 'skip' };
    if (part.startsWith(PREFIX))
      refuse(`the name ${JSON.stringify(entryName.slice(0, 200))} leads through a whiteout`);
  }
  const parent = parts.join('/');
  if (name === OPAQUE) return { kind: 'opaque', parent };
  if (name.startsWith(META_PREFIX)) return { kind: 'skip' };
  if (!name.startsWith(PREFIX)) return { kind: 'entry', parent, name };
  const deleted = name.slice(PREFIX.length);
  if (deleted === '' || deleted === '.' || deleted === '..') {
    refuse(`the whiteout ${JSON.stringify(entryName.slice(0, 200))} names nothing that can be deleted`);
  }
  return { kind: 'whiteout', parent, name: deleted };
}

/**
 * Refuses a file that can't be in a layer because its name says something else there: what `layerPath` refuses, and folders
 * that would be whiteouts. Errors: `invalid`, with Docker's text.
 */
export function refuseWhiteoutName(name: string, isDirectory: boolean): void {
  const last = name.slice(name.lastIndexOf('/') + 1);
  if (!last.startsWith(PREFIX) || last.startsWith(META_PREFIX)) return;
  if (isDirectory || ['', '.', '..'].includes(last.slice(PREFIX.length)))
    throw new WharfError('invalid', `invalid whiteout entry ${JSON.stringify(name)}`);
}

/** True for an extended attribute that would speak to overlayfs (also in its escaped form), and so must not come from an archive. */
export function isOverlayXattr(name: string): boolean {
  return /^[^.]+\.overlay\./.test(name);
}
