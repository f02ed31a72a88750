import { WharfError } from '../base/index.ts';

const FALSE_WORDS = new Set(['', '0', 'no', 'false', 'none']);

/** A boolean query parameter: absent, empty, `0`, `no`, `false` and `none` (any case) are false, all else is true. */
export function boolValue(text: string | null): boolean {
  return text !== null && !FALSE_WORDS.has(text.trim().toLowerCase());
}

/** As {@link boolValue}, but `fallback` when the parameter is absent. */
export function boolValueOr(text: string | null, fallback: boolean): boolean {
  return text === null ? fallback : boolValue(text);
}

/** An integer query parameter; undefined when absent or empty, `invalid` with Go's text when it is no safe integer. */
export function intValue(text: string | null, parser = 'strconv.Atoi'): number | undefined {
  if (text === null || text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text)) {
    throw new WharfError('invalid', `${parser}: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new WharfError('invalid', `${parser}: parsing ${JSON.stringify(text)}: value out of range`);
  }
  return value;
}

/** Height or width of a terminal, in characters; `invalid` with Docker's text. */
export function terminalSide(text: string | null, side: 'height' | 'width'): number {
  const given = text ?? '';
  const why = !/^\d+$/.test(given)
    ? 'invalid syntax'
    : Number(given) > 0xffff_ffff
      ? 'value out of range'
      : undefined;
  if (why) throw new WharfError('invalid', `invalid resize ${side} ${JSON.stringify(given)}: ${why}`);
  return Number(given);
}

const RFC3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;

/**
 * A point in time: Unix seconds with up to nine decimals (`1136073600.000000001`) or RFC 3339. Nanoseconds since 1970;
 * undefined when absent, empty or `0`.
 */
export function timestamp(text: string | null): bigint | undefined {
  if (text === null || text === '' || text === '0') return undefined;
  const unix = /^([+-]?)(\d{1,12})(?:\.(\d+))?$/.exec(text);
  if (unix) return signed(unix[1], BigInt(unix[2]!) * 1_000_000_000n + fraction(unix[3]));
  const written = RFC3339.exec(text);
  const millis = written ? Date.parse(`${written[1]}${written[3]}`) : Number.NaN;
  if (!written || Number.isNaN(millis)) {
    throw new WharfError('invalid', `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return BigInt(millis) * 1_000_000n + fraction(written[2]);
}

function signed(sign: string | undefined, nanos: bigint): bigint {
  return sign === '-' ? -nanos : nanos;
}

function fraction(digits: string | undefined): bigint {
  return BigInt((digits ?? '').slice(0, 9).padEnd(9, '0'));
}
