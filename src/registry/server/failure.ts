import { type ErrorKind, WharfError } from '../../base/index.ts';

/** Status, kind and words of each error code: OCI Distribution 1.1 "Error Codes", and Docker's additions that clients know. */
const CODES = {
  BLOB_UNKNOWN: [404, 'not-found', 'blob unknown to registry'],
  BLOB_UPLOAD_INVALID: [400, 'invalid', 'blob upload invalid'],
  BLOB_UPLOAD_UNKNOWN: [404, 'not-found', 'blob upload unknown to registry'],
  DENIED: [403, 'forbidden', 'requested access to the resource is denied'],
  DIGEST_INVALID: [400, 'invalid', 'provided digest did not match uploaded content'],
  MANIFEST_BLOB_UNKNOWN: [404, 'not-found', 'manifest references a manifest or blob unknown to registry'],
  MANIFEST_INVALID: [400, 'invalid', 'manifest invalid'],
  MANIFEST_UNKNOWN: [404, 'not-found', 'manifest unknown to registry'],
  NAME_INVALID: [400, 'invalid', 'invalid repository name'],
  NAME_UNKNOWN: [404, 'not-found', 'repository name not known to registry'],
  PAGINATION_NUMBER_INVALID: [400, 'invalid', 'invalid number of results requested'],
  RANGE_INVALID: [416, 'invalid', 'invalid content range'],
  SIZE_INVALID: [400, 'invalid', 'provided length did not match content length'],
  TAG_INVALID: [400, 'invalid', 'manifest tag did not match the grammar of tags'],
  TOOMANYREQUESTS: [429, 'rate-limited', 'too many requests'],
  UNAUTHORIZED: [401, 'unauthorized', 'authentication required'],
  UNKNOWN: [500, 'internal', 'unknown error'],
  UNSUPPORTED: [405, 'not-implemented', 'the operation is unsupported'],
} as const satisfies Record<string, readonly [number, ErrorKind, string]>;

/** A code of the specification. */
export type FailureCode = keyof typeof CODES;

/** An answer that refuses a request, as the specification writes it. */
export class RegistryFailure extends WharfError {
  readonly status: number;
  readonly code: string;
  readonly detail: unknown;
  /** Names and values in turn. */
  readonly headers: readonly string[];

  constructor(
    code: FailureCode,
    more: { message?: string; detail?: unknown; status?: number; headers?: readonly string[] } = {},
  ) {
    const [status, kind, message] = CODES[code];
    super(kind, more.message ?? message);
    this.status = more.status ?? status;
    this.code = code;
    this.detail = more.detail;
    this.headers = more.headers ?? [];
  }
}

/** What answers a request whose work ended with this error; `unknown` is the code of a thing that is not there. */
export function failureOf(thrown: unknown, unknown: FailureCode): RegistryFailure {
  if (thrown instanceof RegistryFailure) return thrown;
  const error = WharfError.from(thrown);
  switch (error.kind) {
    case 'not-found':
      return new RegistryFailure(unknown);
    case 'rate-limited':
      return new RegistryFailure('TOOMANYREQUESTS', { message: error.message });
    case 'exhausted':
      return new RegistryFailure('UNKNOWN', {
        status: 507,
        message: 'the registry has no space or descriptors left: free some, then send the rest',
      });
    case 'unavailable':
      return new RegistryFailure('UNKNOWN', { status: 503, message: error.message });
    case 'timeout':
      return new RegistryFailure('UNKNOWN', { status: 408, message: error.message });
    default:
      // What went wrong inside is for the log: it may tell of paths.
      return new RegistryFailure('UNKNOWN');
  }
}

/** The body of an error answer. */
export function failureBody(code: string, message: string, detail: unknown): string {
  return JSON.stringify({ errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] });
}
