import { constants } from 'node:os';
import { getSystemErrorMessage } from 'node:util';
import { type ErrorKind, errnoCode, WharfError } from '../base/index.ts';
import { encodeName } from './file-name.ts';
import { ffi } from './libc.ts';

const kinds: Record<string, ErrorKind> = {
  ENOENT: 'not-found',
  EEXIST: 'conflict',
  EBUSY: 'conflict',
  EADDRINUSE: 'conflict',
  ENOSPC: 'exhausted',
  EMFILE: 'exhausted',
  ENFILE: 'exhausted',
  EDQUOT: 'exhausted',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
};

let names: Map<number, string> | undefined;

/** `ENOENT` for 2; `E<number>` for one without a name here. */
export function errnoName(errno: number): string {
  if (!names) {
    names = new Map();
    // Of two names of one number the first is the usual one: EAGAIN, not EWOULDBLOCK; ENOTSUP, not EOPNOTSUPP.
    for (const [name, number] of Object.entries(constants.errno)) {
      if (!names.has(number)) names.set(number, name);
    }
  }
  return names.get(errno) ?? `E${errno}`;
}

/** The errno that the last FFI call left; to be read right after it. */
export function lastErrno(): number {
  return ffi().errno();
}

/** The error of a failed system call: the call, what it was about, and the errno, with a `cause` that carries `code`. */
export function systemError(call: string, subject: string, errno: number, detail?: string): WharfError {
  const code = errnoName(errno);
  const text = detail ?? describe(errno, code);
  const cause = Object.assign(new Error(`${call}: ${code}`), { code, errno: -errno, syscall: call });
  return new WharfError(kinds[code] ?? 'internal', `${call} ${subject}: ${text} (${code})`, { cause });
}

function describe(errno: number, code: string): string {
  const text = getSystemErrorMessage(-errno);
  return !text || text.startsWith('Unknown') ? code : text;
}

/** Returns a result that is not negative; otherwise throws the error of the call just made. */
export function check(result: number, call: string, subject: string): number {
  if (result < 0) throw systemError(call, subject, lastErrno());
  return result;
}

/** Turns an error of `node:fs` into a WharfError of the same form. */
export function fromNodeError(thrown: unknown, call: string, subject: string): WharfError {
  const code = errnoCode(thrown);
  if (code === undefined) return WharfError.from(thrown);
  const errno = constants.errno[code as keyof typeof constants.errno];
  return systemError(call, subject, errno ?? 0);
}

/** True when the error, or its cause, is that errno (`ENOENT` …). */
export function isErrno(thrown: unknown, ...codes: string[]): boolean {
  const code = errnoCode(thrown) ?? (thrown instanceof Error ? errnoCode(thrown.cause) : undefined);
  return code !== undefined && codes.includes(code);
}

/**
 * A string that C will see whole. A NUL inside would cut the path short and name another file. Names that are not UTF-8
 * become bytes, which a `const char *` takes as well.
 */
export function cString(text: string): string {
  if (text.includes('\0')) throw new WharfError('invalid', `a NUL byte in ${JSON.stringify(text)}`);
  if (text.isWellFormed()) return text;
  return Buffer.concat([encodeName(text), Buffer.alloc(1)]) as unknown as string;
}
