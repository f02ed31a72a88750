import { fstatSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { isPartial, isRecord } from './record.ts';
import { tearIn } from './tear.ts';

const NEWLINE = 10;
const readAsync = promisify(read);

/** How much is read at a time; larger than any record (conmon writes pieces of at most 8 KiB). */
const BLOCK = 256 * 1024;

/** A search for the last lines, from the end, across files. */
export interface TailSearch {
  /** Lines still to be found. */
  wanted: number;
  /** Whether a record was seen; pieces without an end behind the last whole line make a line of their own. */
  begun: boolean;
}

/**
 * Offset in a file at which the last lines begin; `done` when all that are wanted are found. A torn last line, which the
 * monitor is just writing, does not count.
 */
export async function tailOffset(fd: number, search: TailSearch): Promise<{ offset: number; done: boolean }> {
  let end = fstatSync(fd).size;
  const buffer = Buffer.allocUnsafe(Math.min(BLOCK, Math.max(end, 1)));
  while (end > 0) {
    const size = Math.min(buffer.length, end);
    const base = end - size;
    const { bytesRead } = await readAsync(fd, buffer, 0, size, base);
    if (bytesRead < size) break;
    let newline = buffer.lastIndexOf(NEWLINE, size - 1);
    const last = newline;
    while (newline >= 0) {
      const before = newline === 0 ? -1 : buffer.lastIndexOf(NEWLINE, newline - 1);
      if (before < 0 && base > 0) break;
      const tear = tearIn(buffer, before + 1, newline, base);
      if (tear >= 0 && isBeyond(search, buffer, tear, newline))
        return { offset: base + newline + 1, done: true };
      const end = tear < 0 ? newline : tear;
      const next = tear < 0 ? newline + 1 : tear;
      if (isBeyond(search, buffer, before + 1, end)) return { offset: base + next, done: true };
      newline = before;
    }
    // The first line of this block began before it: it is read again with the next. One that fills a block is none of conmon's.
    end =
      newline < 0 || newline === size - 1 || (last === newline && size < BLOCK) ? base : base + newline + 1;
  }
  return { offset: 0, done: false };
}

/** Counts the line; true when it is one more than is wanted. */
function isBeyond(search: TailSearch, buffer: Buffer, start: number, newline: number): boolean {
  if (!isRecord(buffer, start, newline)) return false;
  const startsLine = !isPartial(buffer, start) || !search.begun;
  if (!startsLine) return false;
  if (search.wanted === 0) return true;
  search.begun = true;
  search.wanted--;
  return false;
}
