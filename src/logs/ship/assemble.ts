import { randomBytes } from 'node:crypto';
import { isPartial, isRecord, PREFIX_LENGTH, parseTimestamp, recordAt } from '../record.ts';
import type { LogEntry } from '../sinks/types.ts';
import { mended } from '../tear.ts';

const NEWLINE = 10;
/** A line goes in pieces of at most so many bytes, as the reference engine cuts it. */
const LONGEST = 16 * 1024;

interface OpenLine {
  time: bigint;
  pieces: Buffer[];
  bytes: number;
  /** Set when a piece of it has gone already. */
  partial?: { id: string; ordinal: number };
}

/** Makes entries of records: pieces of a line are put together up to 16 KiB. */
export class Assembler {
  private readonly lines: Record<'stdout' | 'stderr', OpenLine | undefined> = {
    stdout: undefined,
    stderr: undefined,
  };
  private entries: LogEntry[] = [];

  /** The entries of a block of whole records, which begins at an offset of its file. What is open at its end goes as a piece: positions lie between records. */
  take(block: Buffer, base: number): LogEntry[] {
    this.entries = [];
    for (const lines of mended(block, block.length, base)) this.addAll(lines);
    for (const stream of ['stdout', 'stderr'] as const) {
      if ((this.lines[stream]?.bytes ?? 0) > 0) this.flush(stream, false);
    }
    return this.entries;
  }

  private addAll(block: Buffer): void {
    for (let start = 0; start < block.length; ) {
      const newline = block.indexOf(NEWLINE, start);
      const end = newline < 0 ? block.length : newline;
      if (isRecord(block, start, end)) this.add(block, start, end);
      start = end + 1;
    }
  }

  private add(block: Buffer, start: number, end: number): void {
    const { time, stream } = recordAt(block, start, end);
    const text = block.subarray(start + PREFIX_LENGTH, end);
    if ((this.lines[stream]?.bytes ?? 0) + text.length > LONGEST) this.flush(stream, false);
    const line = this.lines[stream] ?? { time: parseTimestamp(time), pieces: [], bytes: 0 };
    if (line.bytes === 0) line.time = parseTimestamp(time);
    // Blocks are read into the same memory again and again.
    line.pieces.push(Buffer.from(text));
    line.bytes += text.length;
    this.lines[stream] = line;
    if (!isPartial(block, start)) this.flush(stream, true);
  }

  private flush(stream: 'stdout' | 'stderr', ends: boolean): void {
    const line = this.lines[stream];
    if (!line) return;
    const entry: LogEntry = { time: line.time, stream, line: Buffer.concat(line.pieces) };
    if (!ends) line.partial ??= { id: randomBytes(32).toString('hex'), ordinal: 0 };
    if (line.partial) {
      line.partial.ordinal++;
      entry.partial = { ...line.partial, last: ends };
    }
    this.entries.push(entry);
    if (ends) this.lines[stream] = undefined;
    else Object.assign(line, { pieces: [], bytes: 0 });
  }
}
