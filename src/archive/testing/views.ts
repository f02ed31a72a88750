import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Fd, O, openat2 } from '../../sys/index.ts';
import { readTar, type TarHeader, type TreeView } from '../index.ts';

/** Folders of a test: a root, two that are mounted, and a canary that nothing may read or change. */
export function place() {
  const top = mkdtempSync('/var/tmp/wharf-view-');
  const [root, one, two, canary] = ['root', 'one', 'two', 'canary'].map((name) => join(top, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const folder of [root, one, two, join(canary, 'inner')]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(canary, 'file'), 'CANARY');
  writeFileSync(join(canary, 'inner', 'file'), 'CANARY');
  const held: Fd[] = [];
  const open = (path: string): number => {
    const fd = openat2('/', path, { flags: O.PATH | O.NOFOLLOW });
    held.push(fd);
    return fd.fd;
  };
  return {
    top,
    root,
    one,
    two,
    canary,
    /** A view of the root with these mounts: where, what, and whether it is read-only. */
    view: (...mounts: [path: string, source: string, readOnly?: boolean][]): TreeView => ({
      root: open(root),
      mounts: mounts.map(([path, source, readOnly = false]) => ({ path, fd: open(source), readOnly })),
    }),
    /** The canary as a hash of all that it is. */
    hash: () => hashTree(canary).digest('hex'),
    [Symbol.dispose]() {
      for (const fd of held) fd.close();
      rmSync(top, { recursive: true, force: true });
    },
  };
}

function hashTree(path: string, hash = createHash('sha256')) {
  const stat = lstatSync(path, { bigint: true });
  hash.update(`${path}|${stat.mode}|${stat.uid}|${stat.gid}|${stat.mtimeNs}|${stat.nlink}|${stat.size}\n`);
  if (stat.isDirectory()) for (const name of readdirSync(path).sort()) hashTree(join(path, name), hash);
  else if (stat.isSymbolicLink()) hash.update(readlinkSync(path));
  else if (stat.isFile()) hash.update(readFileSync(path));
  return hash;
}

/** All entries of a tar with their content. */
export async function entries(tar: AsyncIterable<Uint8Array>): Promise<(TarHeader & { content: Buffer })[]> {
  const found: (TarHeader & { content: Buffer })[] = [];
  for await (const { body, ...header } of readTar(tar)) {
    const parts: Uint8Array[] = [];
    for await (const part of body) parts.push(part);
    found.push({ ...header, content: Buffer.concat(parts) });
  }
  return found;
}

/** The open descriptors of this process. */
export function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
