import type { IncomingHttpHeaders } from 'node:http';
import { type ErrorKind, nodeHttp } from '../../base/index.ts';
import { parseChallenges } from './challenge.ts';
import { clean, RegistryError, type RegistryFault } from './errors.ts';

/** An answer of status 400 or more, read whole. */
export interface Refusal {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

const KINDS: Record<number, ErrorKind> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  405: 'not-implemented',
  408: 'unavailable',
  409: 'conflict',
  412: 'conflict',
  415: 'not-implemented',
  429: 'rate-limited',
  501: 'not-implemented',
};

/** What Docker says for a code whose answer came without words. */
const WORDS: Record<string, string> = {
  UNAUTHORIZED: 'authentication required',
  DENIED: 'requested access to the resource is denied',
  TOOMANYREQUESTS: 'too many requests',
  MANIFEST_UNKNOWN: 'manifest unknown',
  NAME_UNKNOWN: 'repository name not known to registry',
  BLOB_UNKNOWN: 'blob unknown to registry',
  UNSUPPORTED: 'The operation is unsupported.',
};

/**
 * The error for an answer, worded as Docker words it. `unknown` is the code for a 404 without a body (an answer to HEAD).
 * `secrets` are taken out of the words, should the other side repeat them.
 */
export function statusError(
  refusal: Refusal,
  options: {
    secrets?: readonly string[];
    unknown?: string;
    from?: 'registry' | 'login';
    nowMs?: number;
  } = {},
): RegistryError {
  const { status, headers } = refusal;
  const faults = faultsOf(refusal, options.unknown).map((fault) => ({
    ...fault,
    message: clean(fault.message, options.secrets),
    ...(fault.detail !== undefined && { detail: withoutSecrets(fault.detail, options.secrets ?? []) }),
  }));
  const first = faults[0];
  // A token that is good but not enough is answered by 401, too; no other token of this user would help.
  const denied = first?.code === 'DENIED' && status === 401;
  // Without words it may be anybody on the way who is busy: the reference tells only a registry's own words.
  const kind = denied ? 'forbidden' : status === 429 && !first ? 'unavailable' : kindOf(status);
  return new RegistryError(kind, first ? faultText(first) : plainText(refusal, options.secrets), {
    status,
    faults: first ? faults : [{ code: 'UNKNOWN', message: '' }],
    ...(options.from && { from: options.from }),
    retryAfterMs: retryAfter(headers['retry-after'], options.nowMs ?? Date.now()),
  });
}

function kindOf(status: number): ErrorKind {
  return KINDS[status] ?? (status >= 500 ? 'unavailable' : 'invalid');
}

/** `MANIFEST_UNKNOWN` and its message as `manifest unknown: manifest unknown`. */
function faultText({ code, message }: RegistryFault): string {
  return `${code.replaceAll('_', ' ').toLowerCase()}: ${message}`;
}

function faultsOf(refusal: Refusal, unknown: string | undefined): RegistryFault[] {
  const { status } = refusal;
  if (status >= 500) return [];
  const said = [...challengeFaults(refusal.headers), ...bodyFaults(refusal)];
  if (said.length > 0) return said;
  if (status === 401) return [fault('UNAUTHORIZED')];
  if (refusal.body !== '') return [];
  if (status === 403) return [fault('DENIED')];
  if (status === 404 && unknown !== undefined) return [fault(unknown)];
  if (status === 405) return [fault('UNSUPPORTED')];
  return status === 429 ? [fault('TOOMANYREQUESTS')] : [];
}

function fault(code: string, message?: string): RegistryFault {
  return { code, message: message || (WORDS[code] ?? 'unknown error') };
}

/** RFC 6750 section 3.1: a bearer challenge may say what was wrong with the token. */
function challengeFaults(headers: IncomingHttpHeaders): RegistryFault[] {
  for (const { scheme, parameters } of parseChallenges(headers['www-authenticate'])) {
    const error = scheme === 'bearer' ? parameters.get('error') : undefined;
    const code =
      error === 'invalid_token' ? 'UNAUTHORIZED' : error === 'insufficient_scope' ? 'DENIED' : undefined;
    if (code) return [fault(code, parameters.get('error_description'))];
  }
  return [];
}

function bodyFaults({ status, body }: Refusal): RegistryFault[] {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    return [];
  }
  if (typeof document !== 'object' || document === null) return [];
  // Docker Hub and its token service answer some refusals with {"details": "…"}.
  if ('details' in document && typeof document.details === 'string' && document.details !== '') {
    if (status === 401) return [fault('UNAUTHORIZED', document.details)];
    if (status === 403) return [fault('DENIED', document.details)];
    if (status === 429) return [fault('TOOMANYREQUESTS', document.details)];
  }
  if (!('errors' in document) || !Array.isArray(document.errors)) return [];
  return document.errors.slice(0, 16).flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const { code, message, detail } = entry as Record<string, unknown>;
    const known =
      typeof code === 'string' && /^[A-Za-z0-9_]{1,64}$/.test(code) ? code.toUpperCase() : 'UNKNOWN';
    return [{ ...fault(known, typeof message === 'string' ? message : undefined), detail }];
  });
}

/** The text for an answer that is none of a registry: of a proxy, a web server, or a failure inside. */
function plainText({ status, body }: Refusal, secrets: readonly string[] | undefined): string {
  if (status >= 500) return `received unexpected HTTP status: ${statusLine(status)}`;
  const shown = clean(body, secrets);
  if (shown === '') return `error parsing HTTP ${status} response body: unexpected end of JSON input: ""`;
  if (/^[[{]/.test(shown))
    return `error parsing HTTP ${status} response body: no error details found in HTTP response body: ${JSON.stringify(shown)}`;
  return `error parsing HTTP ${status} response body: invalid character '${shown[0]}' looking for beginning of value: ${JSON.stringify(shown)}`;
}

/** Milliseconds that a Retry-After asks for, in seconds or by a date (RFC 9110 section 10.2.3). */
export function retryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** `404 Not Found`. */
export function statusLine(status: number): string {
  return `${status} ${nodeHttp().STATUS_CODES[status] ?? ''}`.trimEnd();
}

/** A detail that repeats a secret, as it is or as JSON writes it, is dropped whole. */
function withoutSecrets(detail: unknown, secrets: readonly string[]): unknown {
  const text = JSON.stringify(detail);
  const repeats = (secret: string) =>
    text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1));
  return secrets.some((secret) => secret !== '' && repeats(secret)) ? undefined : detail;
}
