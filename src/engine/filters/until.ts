import type { Filters } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';

const UNITS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * The instant of an `until` filter in nanoseconds since 1970: a Go duration counted back from `now`, seconds since 1970
 * (with fraction), or an RFC 3339 time or date. Undefined without the filter. Errors: `invalid`, with Docker's texts.
 */
export function untilFilter(filters: Filters, now: bigint): bigint | undefined {
  const values = filters.get('until');
  if (!values || values.length === 0) return undefined;
  if (values.length > 1) throw new WharfError('invalid', 'more than one until filter specified');
  return parseMoment(values[0] as string, now);
}

/** See `untilFilter`. */
export function parseMoment(text: string, now: bigint): bigint {
  const duration = parseGoDuration(text);
  if (duration !== undefined) return now - BigInt(Math.round(duration * 1e6));
  if (/^\d+(\.\d{1,9})?$/.test(text)) {
    const [seconds, fraction = ''] = text.split('.');
    return BigInt(seconds as string) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0') || '0');
  }
  if (/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/.test(text)) {
    const millis = Date.parse(text);
    if (!Number.isNaN(millis)) return BigInt(millis) * 1_000_000n;
  }
  throw new WharfError('invalid', `failed to parse value as time or duration: "${text}"`);
}

/** Milliseconds of `1h30m`, `-5s`, `1.5h`; undefined for what is no Go duration. */
export function parseGoDuration(text: string): number | undefined {
  const match = /^([+-]?)((?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+)$/.exec(text);
  if (!match) return undefined;
  let total = 0;
  for (const part of (match[2] as string).matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(part[1]) * (UNITS[part[2] as string] as number);
  }
  return match[1] === '-' ? -total : total;
}
