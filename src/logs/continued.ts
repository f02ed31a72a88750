import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { fgetxattr, lgetxattr, lsetxattr } from '../sys/index.ts';
import { isPartial, isRecord, isStderr } from './record.ts';

/**
 * The monitor cuts lines where its reads end, so that a rotated file may begin in the middle of a line. That is noted
 * beside its bytes: once the file before it is gone, nothing else tells, and half a line would pass for a whole one.
 */
const NOTE = 'user.wharf.continues';
const NEWLINE = 10;
/** What is looked at of a file's end: several pieces of a line. */
const END = 64 * 1024;

export type Stream = 'stdout' | 'stderr';

/** Notes at a log's file which streams go on in it with a line that the file before began. */
export function noteContinuation(before: string, next: string): void {
  const open = attempt(() => openStreams(before));
  if (open?.length) note(next, Buffer.from(open.join()));
}

/** Takes the note over to a packed file. */
export function copyContinuation(from: string, to: string): void {
  const found = attempt(() => lgetxattr(from, NOTE));
  if (found) note(to, found);
}

/** Streams whose first records in a file are the rest of a line. */
export function continuedStreams(fd: number): Stream[] {
  const found =
    attempt(() => fgetxattr(fd, NOTE))
      ?.toString('latin1')
      .split(',') ?? [];
  return found.filter((name) => name === 'stdout' || name === 'stderr');
}

function note(path: string, value: Buffer): void {
  attempt(() => lsetxattr(path, NOTE, value));
}

/** Some filesystems have no such notes, and a log may go with its container; it does without. */
function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}

function openStreams(path: string): Stream[] {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const block = Buffer.alloc(Math.min(END, size));
    const length = readSync(fd, block, 0, block.length, size - block.length);
    const last: Record<Stream, boolean> = { stdout: false, stderr: false };
    let start = length < size ? block.indexOf(NEWLINE) + 1 : 0;
    for (let end = block.indexOf(NEWLINE, start); end >= 0; end = block.indexOf(NEWLINE, start)) {
      if (isRecord(block, start, end))
        last[isStderr(block, start) ? 'stderr' : 'stdout'] = isPartial(block, start);
      start = end + 1;
    }
    return (['stdout', 'stderr'] as const).filter((stream) => last[stream]);
  } finally {
    closeSync(fd);
  }
}
