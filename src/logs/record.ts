import type { LogRecord } from './types.ts';

const SPACE = 32;
const PARTIAL = 'P'.charCodeAt(0);
const LETTER_E = 'e'.charCodeAt(0);

/** Nanoseconds since 1970 of `2026-01-02T03:04:05.678901234Z` or with an offset. */
export function parseTimestamp(text: string): bigint {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return 0n;
  const [, seconds = '', fraction = '', zone = 'Z'] = match;
  return BigInt(Date.parse(`${seconds}${zone}`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** One line of conmon's k8s-file, its newline included: `TIME STREAM F|P TEXT`. Undefined when it is malformed. */
export function splitRecord(line: Buffer): LogRecord | undefined {
  const afterTime = line.indexOf(SPACE);
  if (afterTime < 20) return undefined;
  const afterStream = line.indexOf(SPACE, afterTime + 1);
  // `stdout` and `stderr` differ at their fourth letter.
  if (afterStream !== afterTime + 7 || line[afterStream + 2] !== SPACE) return undefined;
  const partial = line[afterStream + 1] === PARTIAL;
  const time = line.toString('latin1', 0, afterTime);
  return {
    time: time.endsWith('+00:00') ? `${time.slice(0, -6)}Z` : time.endsWith('Z') ? time : toUtc(time),
    stream: line[afterTime + 4] === LETTER_E ? 'stderr' : 'stdout',
    data: line.subarray(afterStream + 3, partial ? line.length - 1 : line.length),
    partial,
  };
}

function toUtc(time: string): string {
  const nanos = parseTimestamp(time);
  const seconds = new Date(Number(nanos / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${(nanos % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}
