import { closeSync, openSync, readFileSync, readSync, statfsSync } from 'node:fs';
import type { Logger } from '../base/index.ts';
import { PREFIX_LENGTH } from './record.ts';
import { newlines } from './ship/count.ts';

/** Less room than this is none: the monitor writes batches of up to this size. */
const LITTLE = 64 * 1024;
/** What is read of a log to see how much of it is text. More than a full disk took does not matter. */
const MOST = 1024 * 1024;

/** What full disks took from a log. */
export interface DiskLoss {
  /** About how many bytes of output are not in the log. */
  bytes: number;
}

/** What the watch asks of the system. */
export interface DiskProbe {
  /** Room on the log's file system in bytes. */
  room(): number;
  /** Bytes that the monitor has read since it began (proc(5), `io`: `rchar`). */
  bytesRead(): number;
}

/** Probes for a log and the monitor that writes it. */
export function diskProbe(logPath: string, monitorPid: number): DiskProbe {
  return {
    room() {
      const { bfree, bsize } = statfsSync(logPath);
      return bfree * bsize;
    },
    bytesRead: () => Number(/^rchar: (\d+)/.exec(readFileSync(`/proc/${monitorPid}/io`, 'latin1'))?.[1] ?? 0),
  };
}

/**
 * Counts what a container printed while its log had no room. The monitor then goes on without a word, as it must: what
 * it has read and what it has written tell how much is missing.
 */
export class FullDiskWatch {
  readonly loss: DiskLoss = { bytes: 0 };
  private readonly logPath: string;
  private readonly probe: DiskProbe;
  private readonly log: Logger;
  private before: { read: number; size: number } | undefined;
  private before2: { read: number; size: number } | undefined;
  private full = false;

  constructor(logPath: string, probe: DiskProbe, log: Logger) {
    this.logPath = logPath;
    this.probe = probe;
    this.log = log;
  }

  /** Looks at a log of this size; true while there is no room, when nobody is told of a change and one must look again. */
  look(size: number): boolean {
    try {
      const now = { read: this.probe.bytesRead(), size };
      if (this.probe.room() < LITTLE) this.starve(now);
      else if (this.full) this.recover(now);
      else this.note(now);
    } catch {
      // The monitor or the log has gone: there is no more to count.
      this.full = false;
    }
    return this.full;
  }

  /** A look may come when the disk has just become full: the one before it is where counting begins. */
  private note(now: { read: number; size: number }): void {
    this.before2 = this.before;
    this.before = now;
  }

  private starve(now: { read: number; size: number }): void {
    this.before ??= now;
    if (this.full) return;
    this.full = true;
    this.log.warn('the disk is full: what a container prints is lost until there is room', {
      logPath: this.logPath,
    });
  }

  private recover(now: { read: number; size: number }): void {
    const since = this.before2 && this.before2.size <= now.size ? this.before2 : this.before;
    this.full = false;
    this.before = now;
    this.before2 = undefined;
    if (!since || now.size < since.size) return;
    const lost = Math.max(0, now.read - since.read - this.textBytes(since.size, now.size));
    this.loss.bytes += lost;
    this.log.warn('there is room on the disk again', { logPath: this.logPath, lostBytes: lost });
  }

  /** Bytes of output in a part of the log. */
  private textBytes(from: number, to: number): number {
    const block = Buffer.alloc(Math.min(MOST, to - from));
    const fd = openSync(this.logPath, 'r');
    try {
      const length = readSync(fd, block, 0, block.length, from);
      const share = length === 0 ? 0 : 1 - (newlines(block.subarray(0, length)) * PREFIX_LENGTH) / length;
      return Math.round((to - from) * share);
    } finally {
      closeSync(fd);
    }
  }
}
