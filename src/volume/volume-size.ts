import { WharfError } from '../base/index.ts';

const UNITS = 'kmgtp';
/** Less holds no filesystem. */
const LEAST_BYTES = 1 << 20;

/** The option `size` in bytes: a number with a unit of 1024 (`10m`, `1.5GiB`), as Docker reads it. Errors: `invalid`. */
export function parseVolumeSize(name: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?(?:([kmgtp])?(?:i?b)?)$/i.exec(text);
  if (!match) throw new WharfError('invalid', `create ${name}: invalid size: '${text}'`);
  const power = match[2] ? UNITS.indexOf(match[2].toLowerCase()) + 1 : 0;
  const bytes = Math.floor(Number(match[1]) * 1024 ** power);
  if (bytes >= LEAST_BYTES && Number.isSafeInteger(bytes)) return bytes;
  throw new WharfError('invalid', `create ${name}: invalid size: '${text}': at least 1m, less than 8192p`);
}
