import { WharfError } from '../base/index.ts';
import { parseDuration } from './quantities.ts';

const STAMP =
  /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * A time as the engine takes it, `seconds.nanoseconds` since 1970, from a Go duration before now, a date in its
 * several lengths (local time without a zone) or such a number itself. Throws WharfError `invalid` otherwise.
 */
export function timeArgument(text: string, now: number, name: string): string {
  try {
    const nanos = parseDuration(text);
    const at = BigInt(now) * 1_000_000n - BigInt(nanos);
    return `${at / 1_000_000_000n}.${(at % 1_000_000_000n).toString().padStart(9, '0')}`;
  } catch {
    // Not a duration: a date, or seconds.
  }
  const match = STAMP.exec(text);
  if (match) {
    const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = ''] = match;
    const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
    if (!Number.isNaN(date.getTime()))
      return `${Math.floor(date.getTime() / 1000)}.${fraction.padEnd(9, '0')}`;
  }
  if (/^\d+(\.\d{1,9})?$/.test(text)) return text;
  throw new WharfError(
    'invalid',
    `invalid value for ${JSON.stringify(name)}: failed to parse value as time or duration: ${JSON.stringify(text)}`,
  );
}
