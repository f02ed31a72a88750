import { WharfError } from '../base/index.ts';
import type { RotationPolicy } from './types.ts';

type Options = Readonly<Record<string, string>>;

const MULTIPLES = 'kmgtp';
const LOCAL_DEFAULTS = { maxBytes: 20 * 1024 * 1024, maxFiles: 5, compress: true };

/**
 * What the log options of a driver ask for; undefined when the log may grow without end. Errors: `invalid` with the
 * text of the reference engine.
 */
export function rotationPolicy(driver: string, options: Options): RotationPolicy | undefined {
  if (driver === 'local') return localPolicy(options);
  return driver === 'json-file' ? jsonFilePolicy(options) : undefined;
}

function jsonFilePolicy(options: Options): RotationPolicy | undefined {
  const { 'max-size': size, 'max-file': files, compress: packs } = options;
  const maxBytes = size === undefined ? undefined : parseSize(size, 1000);
  if (maxBytes === 0) throw refusal('max-size must be a positive number');
  const maxFiles = files === undefined ? 1 : parseCount(files);
  if (maxFiles < 1) throw refusal('max-file cannot be less than 1');
  const compress = packs !== undefined && parseFlag(packs);
  if (compress && (maxFiles === 1 || maxBytes === undefined)) {
    throw refusal('compress cannot be true when max-file is less than 2 or max-size is not set');
  }
  return maxBytes === undefined ? undefined : { maxBytes, maxFiles, compress };
}

function localPolicy(options: Options): RotationPolicy | undefined {
  const { 'max-size': size, 'max-file': files, compress: packs } = options;
  const maxBytes =
    size === undefined
      ? LOCAL_DEFAULTS.maxBytes
      : named(`invalid value for max-size: ${size}: `, () => parseSize(size, 1024));
  const maxFiles =
    files === undefined
      ? LOCAL_DEFAULTS.maxFiles
      : named(`invalid value for max-file: ${files}: `, () => parseCount(files));
  const compress =
    packs === undefined
      ? LOCAL_DEFAULTS.compress
      : named('error reading compress log option: ', () => parseFlag(packs));
  if (compress && maxFiles <= 1) throw refusal('compression cannot be enabled when max file count is 1');
  return maxBytes === 0 ? undefined : { maxBytes, maxFiles: Math.max(1, maxFiles), compress };
}

function refusal(text: string): WharfError {
  return new WharfError('invalid', text);
}

function named<T>(prefix: string, parse: () => T): T {
  try {
    return parse();
  } catch (thrown) {
    throw refusal(`${prefix}${(thrown as Error).message}`);
  }
}

/** Bytes of `10m`, `1.5 GB`, `20KiB`; `unit` is what a k multiplies by. */
function parseSize(text: string, unit: number): number {
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

function parseCount(text: string): number {
  if (!/^[+-]?\d+$/.test(text))
    throw refusal(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const count = Number(text);
  if (Number.isSafeInteger(count)) return count;
  throw refusal(`strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`);
}

function parseFlag(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw refusal(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}
