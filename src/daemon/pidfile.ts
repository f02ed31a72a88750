import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Writes this process's id. What an earlier daemon left is replaced: who owns the data root is decided by its lock. */
export function writePidfile(path: string): void {
  writeFileSync(path, `${process.pid}\n`, { mode: 0o644 });
}

/** Removes the file if it is still ours. */
export function removePidfile(path: string): void {
  try {
    if (readFileSync(path, 'utf8').trim() === String(process.pid)) rmSync(path);
  } catch {
    // Gone already: nothing of ours is left.
  }
}
