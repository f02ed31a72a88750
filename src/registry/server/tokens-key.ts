import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { errnoCode, WharfError } from '../../base/index.ts';

const KEY_BYTES = 32;

/**
 * The secret by which tokens are signed, made at the first start; nobody else may read it. Errors: `forbidden` when
 * others can read the file, `corrupt` when it is no key; with what to do.
 */
export function openTokenKey(path: string): Buffer {
  const made = makeKey(path);
  if (made) return made;
  const { mode } = statSync(path);
  if ((mode & 0o077) !== 0)
    throw new WharfError(
      'forbidden',
      `${path} can be read by others (mode ${(mode & 0o777).toString(8)}), who could sign tokens: remove it, and a new key is made`,
    );
  const key = readFileSync(path);
  if (key.length !== KEY_BYTES)
    throw new WharfError('corrupt', `${path} is no key for tokens: remove it, and a new one is made`);
  return key;
}

function makeKey(path: string): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, 'wx', 0o600);
  } catch (thrown) {
    if (errnoCode(thrown) === 'EEXIST') return undefined;
    throw new WharfError('internal', `${path} can't be made: ${WharfError.from(thrown).message}`, {
      cause: thrown,
    });
  }
  try {
    const key = randomBytes(KEY_BYTES);
    writeSync(file, key);
    fsyncSync(file);
    return key;
  } finally {
    closeSync(file);
  }
}
