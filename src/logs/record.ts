import type { LogRecord } from './types.ts';

const SPACE = 32;
const PARTIAL = 'P'.charCodeAt(0);
const LETTER_E = 'e'.charCodeAt(0);
const PLUS = '+'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);

/** Bytes before the text of a line as conmon writes it: `2026-01-02T03:04:05.678901234+00:00 stdout F `. */
export const PREFIX_LENGTH = 45;
const TIME_LENGTH = 35;
const STREAM_LETTER = 39;
const TAG = 43;
const SECOND = 1_000_000_000n;
const EARLIEST = -62_167_219_200n * SECOND;
const LATEST = 253_402_300_799n * SECOND;

/** Nanoseconds since 1970 of `2026-01-02T03:04:05.678901234Z` or with an offset; 0 when it is no time. */
export function parseTimestamp(text: string): bigint {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return 0n;
  const [, seconds = '', fraction = '', zone = 'Z'] = match;
  return BigInt(Date.parse(`${seconds}${zone}`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** Whether a line at `start`, which ends before `end`, has the form that conmon writes. */
export function isRecord(block: Uint8Array, start: number, end: number): boolean {
  return (
    end - start >= PREFIX_LENGTH &&
    block[start + TIME_LENGTH] === SPACE &&
    block[start + TIME_LENGTH + 7] === SPACE &&
    block[start + TAG + 1] === SPACE
  );
}

/** Whether the record at `start` came by stderr: `stdout` and `stderr` differ at their fourth letter. */
export function isStderr(block: Uint8Array, start: number): boolean {
  return block[start + STREAM_LETTER] === LETTER_E;
}

/** Whether the record at `start` is a piece that its line goes on behind. */
export function isPartial(block: Uint8Array, start: number): boolean {
  return block[start + TAG] === PARTIAL;
}

/** Time of the record at `start` in nanoseconds since 1970. */
export function timeOf(block: Buffer, start: number): bigint {
  return parseTimestamp(block.toString('latin1', start, start + TIME_LENGTH));
}

/** Whether the record's time is written in UTC, as `+00:00`. */
export function isUtc(block: Uint8Array, start: number): boolean {
  return (
    block[start + 29] === PLUS &&
    block[start + 30] === ZERO &&
    block[start + 31] === ZERO &&
    block[start + 33] === ZERO &&
    block[start + 34] === ZERO
  );
}

/** Time of the record at `start` in UTC: 30 characters, with nine digits of fraction and a `Z`. */
export function utcTime(block: Buffer, start: number): string {
  if (isUtc(block, start)) return `${block.toString('latin1', start, start + 29)}Z`;
  return formatNanos(timeOf(block, start));
}

/** A moment as RFC 3339 in UTC, with nine digits of fraction. What is before year 0 or after 9999 becomes that. */
export function formatNanos(nanos: bigint): string {
  const within = nanos < EARLIEST ? EARLIEST : nanos > LATEST ? LATEST : nanos;
  const fraction = ((within % SECOND) + SECOND) % SECOND;
  const seconds = new Date(Number((within - fraction) / SECOND) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${fraction.toString().padStart(9, '0')}Z`;
}

/** The record at `start`, whose newline is at `newline`. Its data is a view into the block. */
export function recordAt(block: Buffer, start: number, newline: number): LogRecord {
  const partial = isPartial(block, start);
  return {
    time: utcTime(block, start),
    stream: isStderr(block, start) ? 'stderr' : 'stdout',
    data: block.subarray(start + PREFIX_LENGTH, partial ? newline : newline + 1),
    partial,
  };
}
