import { WharfError } from '../base/index.ts';
import { parseCount, parseFlag, parseSize } from './option-values.ts';
import type { RotationPolicy } from './types.ts';

type Options = Readonly<Record<string, string>>;

/** Bounds of a log whose options say nothing of its size. */
export const BOUNDED = { maxBytes: 20 * 1024 * 1024, maxFiles: 5, compress: true };

/**
 * What the log options of a driver ask for; undefined when the log may grow without end, or there is none. Without a
 * word about its size, a log is bounded and packed. Errors: `invalid` with the text of the reference engine.
 */
export function rotationPolicy(driver: string, options: Options): RotationPolicy | undefined {
  if (driver === 'none') return undefined;
  if (driver === 'local') return localPolicy(options);
  return driver === 'json-file' ? jsonFilePolicy(options) : spoolPolicy(options);
}

function jsonFilePolicy(options: Options): RotationPolicy | undefined {
  const { 'max-size': size, 'max-file': files, compress: packs } = options;
  const endless = size === '-1';
  const maxBytes = size === undefined || endless ? undefined : parseSize(size, 1000);
  if (maxBytes === 0) throw refusal('max-size must be a positive number');
  const maxFiles = files === undefined ? 1 : parseCount(files);
  if (maxFiles < 1) throw refusal('max-file cannot be less than 1');
  const compress = packs !== undefined && parseFlag(packs);
  if (compress && (maxFiles === 1 || maxBytes === undefined)) {
    throw refusal('compress cannot be true when max-file is less than 2 or max-size is not set');
  }
  if (endless) return undefined;
  if (maxBytes !== undefined) return { maxBytes, maxFiles, compress };
  const kept = files === undefined ? BOUNDED.maxFiles : maxFiles;
  return { ...BOUNDED, maxFiles: kept, compress: packs === undefined && kept > 1 };
}

/** What is kept of a log that goes to a server. The reference engine passes over values here that it can't read. */
function spoolPolicy(options: Options): RotationPolicy {
  const maxBytes = valid(() => parseSize(options['cache-max-size'] ?? '', 1024)) || BOUNDED.maxBytes;
  const maxFiles = valid(() => parseCount(options['cache-max-file'] ?? '')) || BOUNDED.maxFiles;
  const compress = valid(() => parseFlag(options['cache-compress'] ?? '')) ?? BOUNDED.compress;
  return { maxBytes, maxFiles: Math.max(1, maxFiles), compress: compress && maxFiles > 1 };
}

function valid<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

function localPolicy(options: Options): RotationPolicy | undefined {
  const { 'max-size': size, 'max-file': files, compress: packs } = options;
  const maxBytes =
    size === undefined
      ? BOUNDED.maxBytes
      : named(`invalid value for max-size: ${size}: `, () => parseSize(size, 1024));
  const maxFiles =
    files === undefined
      ? BOUNDED.maxFiles
      : named(`invalid value for max-file: ${files}: `, () => parseCount(files));
  const compress =
    packs === undefined
      ? BOUNDED.compress
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
