import { WharfError } from '../base/index.ts';

const MULTIPLES = 'kmgtp';

/** Bytes of `10m`, `1.5 GB`, `20KiB`; `unit` is what a k multiplies by. */
export function parseSize(text: string, unit: number): number {
  const last = text.search(/[\d. ][^\d. ]*$/);
  if (last < 0) throw refusal(`invalid size: '${text}'`);
  const number = parseDecimal(text.slice(0, text[last] === ' ' ? last : last + 1));
  if (number < 0) throw refusal(`invalid size: '${text}'`);
  const written = text.slice(last + 1);
  const suffix = written.length > 3 ? written : written.toLowerCase();
  if (!/^(b|[kmgtp](i?b)?)?$/.test(suffix)) throw refusal(`invalid suffix: '${suffix}'`);
  const power = MULTIPLES.indexOf(suffix.charAt(0) || 'b') + 1;
  return Math.floor(number * unit ** power);
}

function parseDecimal(text: string): number {
  const digits = text.replace(/(?<=\d)_(?=\d)/g, '');
  const wellFormed = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(digits);
  const problem = wellFormed ? 'value out of range' : 'invalid syntax';
  if (wellFormed && Number.isFinite(Number(digits))) return Number(digits);
  throw refusal(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: ${problem}`);
}

/** A whole number, with the errors of Go's `Atoi`. */
export function parseCount(text: string): number {
  if (!/^[+-]?\d+$/.test(text))
    throw refusal(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const count = Number(text);
  if (Number.isSafeInteger(count)) return count;
  throw refusal(`strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`);
}

/** A flag, with the errors of Go's `ParseBool`. */
export function parseFlag(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw refusal(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function refusal(text: string): WharfError {
  return new WharfError('invalid', text);
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of `1m30s`, with the errors of Go's `ParseDuration`. */
export function parseGoDurationMs(text: string): number {
  const [, sign = '', rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (rest === '0') return 0;
  const pieces = [...rest.matchAll(/(\d+\.?\d*|\.\d+)([^\d.]*)/g)];
  if (rest === '' || pieces.map(([whole]) => whole).join('') !== rest) {
    throw refusal(`time: invalid duration ${JSON.stringify(text)}`);
  }
  let sum = 0;
  for (const [, number, unit = ''] of pieces) {
    if (unit === '') throw refusal(`time: missing unit in duration ${JSON.stringify(text)}`);
    const size = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
    if (size === undefined) {
      throw refusal(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    }
    sum += Number(number) * size;
  }
  return sign === '-' ? -sum : sum;
}
