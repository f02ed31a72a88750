import { WharfError } from '../../base/index.ts';

/** ctrl-p ctrl-q. */
const DEFAULT_KEYS = Buffer.from([16, 17]);
/** What may stand behind `ctrl-` besides letters, from 27 on; `@` is 0. */
const PUNCTUATION = '[\\]^_';

/**
 * The bytes of a detach sequence: keys apart by commas, each one character or `ctrl-` and a letter or one of `@[\]^_`.
 * Undefined or empty is Docker's default. `what` names the setting in the error text (`detach` for attach, `escape` for exec).
 * Errors: `invalid`.
 */
export function parseDetachKeys(text: string | undefined, what: 'detach' | 'escape' = 'detach'): Buffer {
  if (!text) return DEFAULT_KEYS;
  const bytes = text.split(',').map(keyByte);
  if (bytes.some((byte) => byte === undefined)) {
    throw new WharfError('invalid', `Invalid ${what} keys (${text}) provided`);
  }
  return Buffer.from(bytes as number[]);
}

function keyByte(key: string): number | undefined {
  if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
  const control = /^ctrl-(.)$/i.exec(key)?.[1];
  if (control === undefined) return undefined;
  if (control === '@') return 0;
  if (/[a-z]/i.test(control)) return control.toLowerCase().charCodeAt(0) - 0x60;
  const at = PUNCTUATION.indexOf(control);
  return at < 0 ? undefined : 27 + at;
}
