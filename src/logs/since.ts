import { fstatSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { isRecord, timeOf } from './record.ts';

const NEWLINE = 10;
const readAsync = promisify(read);
/** How much is read to find a record; larger than any (conmon writes pieces of at most 8 KiB). */
const LOOK = 32 * 1024;
/** What is no longer halved but read through. */
const NEAR = 64 * 1024;

/** Time of the first record at or behind an offset, and where it is; undefined when there is none near. */
async function recordFrom(fd: number, offset: number): Promise<{ time: bigint; at: number } | undefined> {
  const block = Buffer.allocUnsafe(LOOK);
  const { bytesRead } = await readAsync(fd, block, 0, LOOK, offset);
  let start = offset === 0 ? 0 : block.indexOf(NEWLINE) + 1;
  if (offset > 0 && start === 0) return undefined;
  while (start < bytesRead) {
    const newline = block.indexOf(NEWLINE, start);
    if (newline < 0 || newline >= bytesRead) return undefined;
    if (isRecord(block, start, newline)) return { time: timeOf(block, start), at: offset + start };
    start = newline + 1;
  }
  return undefined;
}

/** Time of a file's first record in nanoseconds since 1970; undefined when it has none. */
export async function firstTime(fd: number): Promise<bigint | undefined> {
  return (await recordFrom(fd, 0))?.time;
}

/**
 * An offset, not far before the first record of that time or later, at which a record begins. Found by halving: records
 * are in the order of the clock, and where it was set back, what is looked for is looked for as if it had not been.
 */
export async function sinceOffset(fd: number, since: bigint): Promise<number> {
  let [low, high] = [0, fstatSync(fd).size];
  while (high - low > NEAR) {
    const middle = low + Math.floor((high - low) / 2);
    const found = await recordFrom(fd, middle);
    if (found && found.time < since && found.at < high) low = found.at;
    else high = middle;
  }
  return low;
}
