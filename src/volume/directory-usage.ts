import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Usage } from '../snapshot/types.ts';

/** Allocated bytes and inodes of a directory and all below it, hard links counted once, other filesystems left out. What vanishes meanwhile is not counted. */
export async function directoryUsage(root: string): Promise<Usage> {
  const seen = new Set<bigint>();
  const top = await lstat(root, { bigint: true });
  const usage: Usage = { bytes: Number(top.blocks) * 512, inodes: 1 };
  const pending = [root];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const names = await readdir(directory).catch(() => []);
    for (const name of names) {
      const path = join(directory, name);
      const stat = await lstat(path, { bigint: true }).catch(() => undefined);
      if (!stat || stat.dev !== top.dev) continue;
      if (stat.nlink > 1n && !stat.isDirectory()) {
        if (seen.has(stat.ino)) continue;
        seen.add(stat.ino);
      }
      usage.bytes += Number(stat.blocks) * 512;
      usage.inodes += 1;
      if (stat.isDirectory()) pending.push(path);
    }
  }
  return usage;
}
