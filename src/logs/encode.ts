import type { LogBlock } from './blocks.ts';
import {
  formatNanos,
  isPartial,
  isRecord,
  isStderr,
  isUtc,
  PREFIX_LENGTH,
  timeOf,
  utcTime,
} from './record.ts';
import type { LogFormat, LogQuery } from './types.ts';

const NEWLINE = 10;
const SPACE = 32;
const LETTER_Z = 'Z'.charCodeAt(0);
const STDOUT = 1;
const STDERR = 2;
/** Below this, copying byte by byte is cheaper than a call. */
const SHORT = 48;
/** Digits and letters of a time before its zone. */
const TIME_DIGITS = 29;

/** Which records a query takes. */
export class RecordFilter {
  private readonly query: LogQuery;
  private readonly since: TimeBound | undefined;
  private readonly until: TimeBound | undefined;
  private readonly rests: [stdout: boolean, stderr: boolean] = [false, false];

  constructor(query: LogQuery) {
    this.query = query;
    this.since = query.since === undefined ? undefined : timeBound(query.since);
    this.until = query.until === undefined ? undefined : timeBound(query.until);
  }

  /** Says that a block begins with the rests of lines, which are left out. */
  begin({ rests = [] }: Pick<LogBlock, 'rests'>): void {
    for (const stream of rests) this.rests[stream === 'stderr' ? 1 : 0] = true;
  }

  /** For the record at `start`; `end`: it and all after it are too late. */
  check(block: Buffer, start: number): 'take' | 'leave' | 'end' {
    const { since, until } = this;
    const channel = isStderr(block, start) ? 1 : 0;
    if (this.rests[channel]) {
      this.rests[channel] = isPartial(block, start);
      return 'leave';
    }
    if (since && compareTime(block, start, since) < 0) return 'leave';
    if (until && compareTime(block, start, until) > 0) return 'end';
    return (channel === 1 ? this.query.stderr : this.query.stdout) ? 'take' : 'leave';
  }
}

/** A moment as a number, and as the monitor writes it in UTC, so that bytes can be compared. */
interface TimeBound {
  nanos: bigint;
  text: Buffer;
}

function timeBound(nanos: bigint): TimeBound {
  return { nanos, text: Buffer.from(formatNanos(nanos), 'latin1') };
}

function compareTime(block: Buffer, start: number, bound: TimeBound): number {
  if (isUtc(block, start)) {
    for (let at = 0; at < TIME_DIGITS; at++) {
      const difference = (block[start + at] as number) - (bound.text[at] as number);
      if (difference !== 0) return difference;
    }
    return 0;
  }
  const nanos = timeOf(block, start);
  return nanos < bound.nanos ? -1 : nanos > bound.nanos ? 1 : 0;
}

/** Turns blocks of records into the bytes that a client gets. */
export class LogEncoder {
  /** A record was later than the query's end: nothing more comes. */
  ended = false;
  private readonly filter: RecordFilter;
  private readonly format: LogFormat;
  private readonly details: Buffer;
  /** A long line comes in pieces; what stands before a line stands before its first piece only. */
  private readonly open: boolean[] = [false, false];
  private out: Buffer = Buffer.alloc(0);
  private used = 0;

  constructor(query: LogQuery, format: LogFormat) {
    this.filter = new RecordFilter(query);
    this.format = format;
    this.details = Buffer.from(format.details);
  }

  /** Encodes a block; the result is a buffer of its own, empty when no record was wanted. */
  encode({ buffer, length, rests = [] }: LogBlock): Buffer {
    this.filter.begin({ rests });
    // A frame's head and a time are shorter than what conmon puts before a line: only details can need more.
    this.out = Buffer.allocUnsafe(length);
    this.used = 0;
    for (let start = 0; start < length && !this.ended; ) {
      const newline = buffer.indexOf(NEWLINE, start);
      if (isRecord(buffer, start, newline)) this.add(buffer, start, newline);
      start = newline + 1;
    }
    const encoded = this.out.subarray(0, this.used);
    this.out = Buffer.alloc(0);
    return encoded;
  }

  private add(block: Buffer, start: number, newline: number): void {
    const verdict = this.filter.check(block, start);
    if (verdict === 'end') this.ended = true;
    if (verdict !== 'take') return;
    const partial = isPartial(block, start);
    const channel = isStderr(block, start) ? STDERR : STDOUT;
    const from = start + PREFIX_LENGTH;
    const to = partial ? newline : newline + 1;
    const continues = this.open[channel - 1] === true;
    this.open[channel - 1] = partial;
    const timed = this.format.timestamps && !continues;
    const detailed = this.details.length > 0 && !continues;
    const size = (timed ? TIME_DIGITS + 2 : 0) + (detailed ? this.details.length : 0) + to - from;
    this.reserve(size + 8 + block.length - start);
    if (this.format.framed) this.head(channel, size);
    if (timed) this.time(block, start);
    if (detailed) this.copy(this.details, 0, this.details.length);
    this.copy(block, from, to);
  }

  /** Room for this record, and for the rest of the block as far as it is known. */
  private reserve(bytes: number): void {
    if (this.used + bytes <= this.out.length || this.details.length === 0) return;
    const larger = Buffer.allocUnsafe(this.out.length * 2 + bytes);
    this.out.copy(larger, 0, 0, this.used);
    this.out = larger;
  }

  private head(channel: number, size: number): void {
    const { out } = this;
    let at = this.used;
    out[at++] = channel;
    out[at++] = 0;
    out[at++] = 0;
    out[at++] = 0;
    out[at++] = size >>> 24;
    out[at++] = size >>> 16;
    out[at++] = size >>> 8;
    out[at++] = size;
    this.used = at;
  }

  private time(block: Buffer, start: number): void {
    if (isUtc(block, start)) {
      this.copy(block, start, start + TIME_DIGITS);
      this.out[this.used++] = LETTER_Z;
    } else {
      this.used += this.out.write(utcTime(block, start), this.used, 'latin1');
    }
    this.out[this.used++] = SPACE;
  }

  private copy(source: Buffer, from: number, to: number): void {
    if (to - from >= SHORT) {
      this.used += source.copy(this.out, this.used, from, to);
      return;
    }
    const { out } = this;
    let at = this.used;
    for (let index = from; index < to; index++) out[at++] = source[index] as number;
    this.used = at;
  }
}
