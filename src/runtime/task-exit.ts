import { existsSync, readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { errnoCode, isKind } from '../base/index.ts';
import { openPidfd, pidfdExited } from '../sys/index.ts';
import type { TaskExit } from './types.ts';

/** A file in the bundle of a task whose program the kernel would have refused: its code is then 255. */
export const REFUSED = 'refused';

/** The exit that a monitor wrote down (`file`), its time from the file's; undefined without one. */
export async function readExit(file: string, bundle: string): Promise<TaskExit | undefined> {
  try {
    const [text, { mtimeNs }] = await Promise.all([readFile(file, 'utf8'), stat(file, { bigint: true })]);
    if (!/^-?\d+\s*$/.test(text)) return undefined;
    const code = existsSync(`${bundle}/${REFUSED}`) ? 255 : Number(text) & 255;
    return { code, at: mtimeNs, oomKilled: existsSync(`${bundle}/oom`) };
  } catch (thrown) {
    if (errnoCode(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

/** What is said of a process whose monitor died before it. */
export function lostExit(): TaskExit {
  return { code: 255, at: BigInt(Date.now()) * 1_000_000n, oomKilled: false, lost: true };
}

/** Resolves at the end of a monitor that an earlier daemon started; at once when it has ended. */
export async function monitorEnd(pid: number, bundle: string): Promise<void> {
  try {
    using pidfd = openPidfd(pid);
    // A reused pid would be waited for in vain: only a conmon of this very bundle counts.
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0-b\0${bundle}\0`)) return;
    await pidfdExited(pidfd);
  } catch (thrown) {
    if (!isKind(thrown, 'not-found') && !['ENOENT', 'ESRCH'].includes(errnoCode(thrown) ?? '')) throw thrown;
  }
}
