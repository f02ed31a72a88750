import { setImmediate } from 'node:timers/promises';
import type { Fd } from '../sys/index.ts';
import type { Usage } from './types.ts';
import { isDirectory, names, openChild, openDirectory, statChild } from './walk.ts';

/** Disk use of a tree: allocated blocks in bytes, hard links once, the top directory included. */
export async function diskUsage(path: string): Promise<Usage> {
  using top = openDirectory(path);
  const own = statChild(top, '.');
  const usage = { bytes: (own?.blocks ?? 0) * 512, inodes: 1 };
  await add(top, usage, new Set());
  return usage;
}

async function add(directory: Fd, usage: Usage, linked: Set<bigint>): Promise<void> {
  await setImmediate();
  for (const name of names(directory)) {
    const stat = statChild(directory, name);
    if (!stat) continue;
    if (!isDirectory(stat) && stat.nlink > 1) {
      if (linked.has(stat.ino)) continue;
      linked.add(stat.ino);
    }
    usage.bytes += stat.blocks * 512;
    usage.inodes += 1;
    using child = isDirectory(stat) ? openChild(directory, name) : undefined;
    if (child) await add(child, usage, linked);
  }
}
