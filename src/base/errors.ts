/**
 * What went wrong, as a caller must tell it apart. The HTTP status of each kind is decided in
 * `server/error-status.ts`, the exit code in the CLI, and nowhere else.
 */
export type ErrorKind =
  | 'invalid' // the request is malformed or contradicts itself
  | 'unauthorized' // credentials are missing or wrong
  | 'forbidden' // understood, and not allowed
  | 'not-found'
  | 'conflict' // the object's state does not allow it
  | 'not-modified' // it is already so
  | 'unavailable' // not now; the same request may pass later
  | 'rate-limited' // too much was asked in a while; the same request may pass later
  | 'not-implemented' // a capability this engine does not have
  | 'cancelled' // the caller gave up
  | 'timeout' // a deadline of ours passed
  | 'exhausted' // no space, address, name or other resource is left
  | 'corrupt' // stored or received data is not what it must be
  | 'internal'; // a fault of ours or of the host

/** The one error type of the project. `message` is for people: what was asked, what stood in the way, what to do. */
export class WharfError extends Error {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'WharfError';
    this.kind = kind;
  }

  /** Turns anything thrown into a WharfError; a WharfError is returned as it is, an abort becomes `cancelled`. */
  static from(thrown: unknown, kind: ErrorKind = 'internal'): WharfError {
    if (thrown instanceof WharfError) return thrown;
    if (thrown instanceof Error) {
      const mapped = thrown.name === 'AbortError' ? 'cancelled' : kind;
      return new WharfError(mapped, thrown.message, { cause: thrown });
    }
    return new WharfError(kind, String(thrown), { cause: thrown });
  }
}

/** True when `thrown` is a WharfError of that kind. */
export function isKind(thrown: unknown, kind: ErrorKind): boolean {
  return thrown instanceof WharfError && thrown.kind === kind;
}

/** The `code` of a system error (`ENOENT` …), or undefined. */
export function errnoCode(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
