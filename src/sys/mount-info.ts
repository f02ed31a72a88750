import { readFileSync } from 'node:fs';
import { fromNodeError } from './errno.ts';

/** One line of /proc/self/mountinfo (proc(5)). */
export interface MountInfo {
  id: number;
  parent: number;
  major: number;
  minor: number;
  /** The path in the file system that is the root of this mount. */
  root: string;
  mountPoint: string;
  fsType: string;
  source: string;
  /** Options of the mount. */
  options: string[];
  /** Options of the file system. */
  superOptions: string[];
  /** `shared:N`, `master:N`, `propagate_from:N`, `unbindable`; empty for a private mount. */
  optional: string[];
}

/** All mounts in the daemon's mount namespace, in the order of the kernel's list (later ones may cover earlier ones). */
export function mountInfo(): MountInfo[] {
  const path = '/proc/self/mountinfo';
  try {
    return parseMountInfo(readFileSync(path, 'utf8'));
  } catch (thrown) {
    throw fromNodeError(thrown, 'read', path);
  }
}

/** Parses the text of a mountinfo file; lines that are not of its form are left out. */
export function parseMountInfo(text: string): MountInfo[] {
  const mounts: MountInfo[] = [];
  for (const line of text.split('\n')) {
    const mount = parseLine(line);
    if (mount) mounts.push(mount);
  }
  return mounts;
}

function parseLine(line: string): MountInfo | undefined {
  const fields = line.split(' ');
  const separator = fields.indexOf('-', 6);
  const [id, parent, device, root, mountPoint, options] = fields;
  const [fsType, source, superOptions] = fields.slice(separator + 1);
  if (separator < 0 || !device || !root || !mountPoint || !options || !fsType || source === undefined) {
    return undefined;
  }
  const [major, minor] = device.split(':');
  return {
    id: Number(id),
    parent: Number(parent),
    major: Number(major),
    minor: Number(minor),
    root: unescapeField(root),
    mountPoint: unescapeField(mountPoint),
    fsType: unescapeField(fsType),
    source: unescapeField(source),
    options: options.split(','),
    superOptions: (superOptions ?? '').split(',').filter(Boolean),
    optional: fields.slice(6, separator),
  };
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
function unescapeField(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
