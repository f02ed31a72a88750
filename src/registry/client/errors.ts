import { type ErrorKind, WharfError } from '../../base/index.ts';

/** Longest text of a registry that is passed on, in characters. */
const MAX_TEXT = 1024;

/** One error of a registry's answer (OCI distribution-spec, "Error Codes"). */
export interface RegistryFault {
  /** `MANIFEST_UNKNOWN`, `DENIED`, `TOOMANYREQUESTS` …; `UNKNOWN` when the answer gave none. */
  code: string;
  message: string;
  detail?: unknown;
}

/**
 * What a registry, or the token service that it names, refused. `message` is the text that Docker prints for the first
 * fault: its code in words, a colon and the registry's message.
 */
export class RegistryError extends WharfError {
  /** HTTP status, 401 when credentials were lacking before anything was sent. */
  readonly status: number;
  /** Never empty. */
  readonly faults: readonly RegistryFault[];
  /** `login`: the way to a token failed, or there was nothing to log in with. Docker doesn't reword these errors. */
  readonly from: 'registry' | 'login';
  /** Milliseconds that the registry asks to wait before the next try. */
  readonly retryAfterMs: number | undefined;

  constructor(
    kind: ErrorKind,
    message: string,
    facts: {
      status: number;
      faults: readonly RegistryFault[];
      from?: 'registry' | 'login';
      retryAfterMs?: number | undefined;
      cause?: unknown;
    },
  ) {
    super(kind, message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'RegistryError';
    this.status = facts.status;
    this.faults = facts.faults;
    this.from = facts.from ?? 'registry';
    this.retryAfterMs = facts.retryAfterMs;
  }

  /** The code of the first fault. */
  get code(): string {
    return this.faults[0]?.code ?? 'UNKNOWN';
  }

  /** The detail of the first fault, as the registry gave it. */
  get detail(): unknown {
    return this.faults[0]?.detail;
  }
}

/** A connection that could not be made, broke or stalled. `message` is what Docker prints for it. */
export class NetworkError extends WharfError {
  /** False when another try can't help: name unknown, certificate refused. */
  readonly passing: boolean;
  /** True when a kept connection was gone before anything came back on it. */
  readonly stale: boolean;

  constructor(message: string, passing: boolean, cause?: unknown, stale = false) {
    super('unavailable', message, { cause });
    this.name = 'NetworkError';
    this.passing = passing;
    this.stale = stale;
  }
}

/** Query parameters that carry no secret; the values of all others are left out of texts. */
const PLAIN = new Set([
  'n',
  'last',
  'ns',
  'digest',
  'mount',
  'from',
  'scope',
  'service',
  'q',
  'artifactType',
  'offline_token',
  'client_id',
]);

/** An address for texts and logs: without user info, and without the values of signed or unknown query parameters. */
export function redactUrl(url: URL): string {
  const query = [...url.searchParams].map(([key, value]) => {
    const shown = PLAIN.has(key) ? encodeURIComponent(value) : 'REDACTED';
    return `${encodeURIComponent(key)}=${shown}`;
  });
  return clean(`${url.origin}${url.pathname}${query.length ? `?${query.join('&')}` : ''}`);
}

/** Words of the other side made fit for one line of a terminal or log: bounded, no control characters, no secrets. */
export function clean(text: string, secrets: readonly string[] = []): string {
  let shown = text;
  // Short ones would take ordinary letters out of the text and tell by that what they are.
  for (const secret of secrets) if (secret.length >= 4) shown = shown.replaceAll(secret, '***');
  shown = shown.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ').trim();
  return shown.length > MAX_TEXT ? `${shown.slice(0, MAX_TEXT)}…` : shown;
}

/** The same error with `Get "https://…": ` before its text, as Go's HTTP client words what happens below it. */
export function atRequest(method: string, url: URL, thrown: unknown): WharfError {
  const error = WharfError.from(thrown, 'unavailable');
  if (!(error instanceof RegistryError) && !(error instanceof NetworkError)) return error;
  const message = `${method[0]}${method.slice(1).toLowerCase()} ${JSON.stringify(redactUrl(url))}: ${error.message}`;
  if (error instanceof RegistryError) {
    const { status, faults, from, retryAfterMs } = error;
    return new RegistryError(error.kind, message, { status, faults, from, retryAfterMs, cause: error.cause });
  }
  return new NetworkError(message, error.passing, error.cause);
}
