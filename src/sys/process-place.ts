import { readFileSync, readlinkSync, statSync } from 'node:fs';

/** Where a process is: two of one place see the same files by the same absolute paths. */
export interface ProcessPlace {
  /** The kernel's own number of its start, so that no other machine's process is taken for one here. */
  boot: string;
  /** The process by its number in the caller's pid namespace. */
  pid: number;
  /** `mnt:[…]` (namespaces(7)). */
  mounts: string;
  /** Its root, with device and inode: `/` for all that are not chrooted. */
  root: string;
}

/** Where a process is; undefined when it is gone, or that may not be known. */
export function processPlace(pid: number): ProcessPlace | undefined {
  try {
    const { dev, ino } = statSync(`/proc/${pid}/root`, { bigint: true });
    return {
      boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      pid,
      mounts: readlinkSync(`/proc/${pid}/ns/mnt`),
      root: `${readlinkSync(`/proc/${pid}/root`)} ${dev}:${ino}`,
    };
  } catch {
    return undefined;
  }
}

/** A process's place as a text that another process may compare with what it sees itself. */
export function placeText({ boot, pid, mounts }: ProcessPlace): string {
  return `${boot} ${pid} ${mounts}`;
}
