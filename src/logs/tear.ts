import { isRecord, PREFIX_LENGTH, timeOf } from './record.ts';

const NEWLINE = 10;
/**
 * A disk that is full takes whole blocks: a write that was cut short ends at a multiple of this, and the monitor's next
 * record begins there, in the middle of a line. (1024 is the smallest block of a file system of Linux's.)
 */
const BLOCK = 1024;
const PREFIX = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}[+-]\d\d:\d\d std(?:out|err) [FP] $/;

/**
 * Where in `from` to `to` of a buffer a record begins without a newline before it; -1 for nowhere. `base` is the offset
 * in the file of the buffer's first byte. Text of a container that looks alike is older than the line that it is in.
 */
export function tearIn(buffer: Buffer, from: number, to: number, base: number): number {
  for (let at = Math.floor((base + from) / BLOCK + 1) * BLOCK - base; at < to; at += BLOCK) {
    if (buffer[at - 1] !== NEWLINE && isTorn(buffer, at, to)) return at;
  }
  return -1;
}

function isTorn(buffer: Buffer, at: number, to: number): boolean {
  if (!isRecord(buffer, at, to) || !PREFIX.test(buffer.toString('latin1', at, at + PREFIX_LENGTH)))
    return false;
  const line = buffer.lastIndexOf(NEWLINE, at - 1) + 1;
  return !isRecord(buffer, line, at) || timeOf(buffer, at) >= timeOf(buffer, line);
}

/** The lines of a buffer, with a newline wherever one was torn off: the buffer's own bytes when there is none. */
export function mended(buffer: Buffer, length: number, base: number): Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = tearIn(buffer, 0, length, base); at >= 0; at = tearIn(buffer, at, length, base)) {
    parts.push(Buffer.concat([buffer.subarray(from, at), Buffer.from('\n')]));
    from = at;
  }
  parts.push(buffer.subarray(from, length));
  return parts;
}
