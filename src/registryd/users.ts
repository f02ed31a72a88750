import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errnoCode, WharfError } from '../base/index.ts';
import { parseHtpasswd } from '../registry/server/index.ts';

/** 2^10 rounds take some 60 ms: a nuisance to no user, and much to who tries millions. */
const COST = 10;
/** bcrypt looks at no more. */
const MAX_PASSWORD_BYTES = 72;

/** Names in an htpasswd file, in its order. Errors: `not-found` when there is no file, `invalid` for a damaged one. */
export function listUsers(file: string): string[] {
  if (!existsSync(file)) throw new WharfError('not-found', `there is no file ${file}`);
  return [...parseHtpasswd(readText(file), file).keys()];
}

/**
 * Adds a user to an htpasswd file, or gives a known one another password. The file is made when missing, readable by its
 * owner alone. Errors: `not-found` for a missing folder; `invalid` for a name or password that can't be one, and for a damaged file.
 */
export async function setUser(file: string, name: string, password: string): Promise<'added' | 'changed'> {
  checkUserName(name);
  checkUsersFolder(file);
  if (password === '') throw new WharfError('invalid', 'an empty password lets everybody in');
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES)
    throw new WharfError(
      'invalid',
      `a password has at most ${MAX_PASSWORD_BYTES} bytes: bcrypt looks at no more`,
    );
  // Loaded here: a registry that is served computes no hashes on this thread.
  const { hash } = await import('bcryptjs');
  const line = `${name}:${await hash(password, COST)}`;
  const text = readText(file);
  const known = parseHtpasswd(text, file).has(name);
  const lines = linesOf(text);
  replaceFile(
    file,
    known ? lines.map((each) => (each.startsWith(`${name}:`) ? line : each)) : [...lines, line],
  );
  return known ? 'changed' : 'added';
}

/** Removes users. Their tokens end with them. Errors: `not-found`, naming the first who is not there; nobody goes then. */
export function removeUsers(file: string, names: readonly string[]): void {
  const text = readText(file);
  const users = parseHtpasswd(text, file);
  const missing = names.find((name) => !users.has(name));
  if (missing !== undefined) throw new WharfError('not-found', `no such user: ${missing}`);
  replaceFile(
    file,
    linesOf(text).filter((line) => !names.some((name) => line.startsWith(`${name}:`))),
  );
}

/** Errors: `not-found` when the folder of a users file is missing. It is not made: the path may be a typing error. */
export function checkUsersFolder(file: string): void {
  const folder = dirname(resolve(file));
  if (!existsSync(folder))
    throw new WharfError(
      'not-found',
      `the folder ${folder} is not there: make it first by "mkdir -p ${folder}"`,
    );
}

/** Errors: `invalid` for what can't name a user. */
export function checkUserName(name: string): void {
  // Names stand in tokens, access files (where @ and * mean something else) and audit lines.
  if (!/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/.test(name))
    throw new WharfError(
      'invalid',
      `"${name}" can't be a user: letters, digits and . _ @ + - are taken, at most 128, a letter or digit first`,
    );
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (errnoCode(cause) === 'ENOENT') return '';
    throw new WharfError('invalid', `${file} can't be read: ${WharfError.from(cause).message}`, { cause });
  }
}

const linesOf = (text: string) => text.split('\n').filter((line) => line.trim() !== '');

/** A reader sees the old file or the new one, also after a crash. Owner and mode stay. */
function replaceFile(file: string, lines: readonly string[]): void {
  const before = statSync(file, { throwIfNoEntry: false });
  // Where the name is a link, what it leads to is replaced.
  const target = before ? realpathSync(file) : resolve(file);
  const temporary = `${target}.${randomBytes(6).toString('hex')}`;
  try {
    const fd = openSync(temporary, 'wx', 0o600);
    try {
      if (before) {
        fchownSync(fd, before.uid, before.gid);
        fchmodSync(fd, before.mode & 0o777);
      }
      writeSync(fd, lines.map((line) => `${line}\n`).join(''));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, target);
    syncFolder(dirname(target));
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new WharfError('internal', `${file} can't be written: ${WharfError.from(cause).message}`, {
      cause,
    });
  }
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
