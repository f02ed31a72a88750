import type { IncomingMessage, RequestOptions } from 'node:http';
import { isIP } from 'node:net';
import { type ErrorKind, errnoCode, nodeHttp, WharfError } from '../../base/index.ts';
import { guardedLookup, isInwardAddress } from '../../registry/client/index.ts';

/** As Go's client, which the reference uses, follows them. */
const MAX_REDIRECTS = 10;
/** Milliseconds in which nothing comes before a download counts as stalled. */
const STALL_MS = 60_000;
/** How much of an error page is repeated, in bytes. */
const MAX_REASON = 8192;

/** What a web server's refusals are; any other is the server's fault. */
const KINDS: ReadonlyMap<number, ErrorKind> = new Map([
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'not-found'],
]);

/** An archive on its way from a web server. */
export interface FetchedArchive {
  body: AsyncIterable<Uint8Array>;
  /** Bytes to come, when the server says so. */
  total: number | undefined;
}

export interface FetchOptions {
  signal: AbortSignal;
  /** Milliseconds without a byte until the server is given up. */
  stallMs?: number;
}

/** `host/path` means `http://host/path`. Errors: `invalid` for what is no URL; `internal`, as in the reference, for other schemes. */
export function archiveUrl(text: string): URL {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const scheme = whole.slice(0, whole.indexOf(':')).toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') throw failed(whole, `unsupported protocol scheme "${scheme}"`);
  // The URL standard would take the path's first part for a host.
  if (!/^[a-z]+:\/\/[^/?#]/i.test(whole)) throw failed(whole, 'http: no Host in request URL');
  const url = URL.parse(whole);
  if (!url) throw new WharfError('invalid', `parse ${JSON.stringify(whole)}: invalid URL`);
  return url;
}

/** A URL for messages and records: without its password. */
export function shownUrl(url: URL): string {
  if (url.password === '') return url.href;
  const shown = new URL(url);
  shown.password = 'xxxxx';
  return shown.href;
}

/**
 * Asks a web server for an archive, over at most ten redirects. Whoever may ask the engine to may reach every address that
 * the host reaches, but a server elsewhere must not send the engine where the user did not: a redirect to a loopback or
 * link-local address is followed only as long as all that answered so far have such addresses. The URL's credentials go to its own origin alone.
 * Errors, with the kinds of the reference's statuses: those of `archiveUrl`; `not-found`, `unauthorized` and `forbidden` as
 * the server says; `internal` when it can't be reached, stalls or says anything else.
 */
export async function fetchArchive(text: string, options: FetchOptions): Promise<FetchedArchive> {
  let url = archiveUrl(text);
  const first = url;
  let guarded = false;
  for (let redirects = 0; ; redirects++) {
    const auth = url.origin === first.origin ? credentialsOf(first) : undefined;
    const { response, cut } = await request(url, { auth, guarded, ...options });
    const location = redirectOf(response);
    if (location === undefined) {
      await checkStatus(url, response);
      return { body: bodyOf(response, cut), total: lengthOf(response) };
    }
    // Once somebody elsewhere was asked, whatever comes is his choice.
    guarded ||= !isInwardAddress(response.socket.remoteAddress ?? '');
    response.destroy();
    if (redirects + 1 >= MAX_REDIRECTS) throw failed(location, `stopped after ${MAX_REDIRECTS} redirects`);
    url = archiveUrl(URL.parse(location, url.href)?.href ?? location);
  }
}

interface Asking extends FetchOptions {
  auth: string | undefined;
  guarded: boolean;
}

interface Answer {
  response: IncomingMessage;
  /** Why the connection broke off. */
  cut: () => Error;
}

function request(url: URL, asking: Asking): Promise<Answer> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (asking.guarded && isIP(host) && isInwardAddress(host)) throw refused(url);
  const settings: RequestOptions = {
    host,
    port: url.port,
    path: url.pathname + url.search,
    headers: { 'User-Agent': 'wharfd', Accept: '*/*' },
    signal: asking.signal,
    agent: false,
    ...(asking.auth === undefined ? {} : { auth: asking.auth }),
    ...(asking.guarded
      ? { lookup: guardedLookup(process.getBuiltinModule('node:dns').lookup, () => refused(url)) }
      : {}),
  };
  const module = url.protocol === 'https:' ? process.getBuiltinModule('node:https') : nodeHttp();
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let stall: Error | undefined;
  const cut = () => {
    if (asking.signal.aborted) return asking.signal.reason;
    return stall ?? new WharfError('unavailable', 'unexpected EOF');
  };
  const outgoing = module.request(settings, (response) => resolve({ response, cut }));
  const stallMs = asking.stallMs ?? STALL_MS;
  outgoing.setTimeout(stallMs, () => {
    stall = failed(shownUrl(url), `nothing came for ${stallMs / 1000} seconds`);
    outgoing.destroy(stall);
  });
  outgoing.on('error', (error) => reject(asking.signal.aborted ? error : explained(url, error)));
  outgoing.end();
  return promise;
}

function credentialsOf(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined;
  return `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
}

/** Where a response sends; undefined when it is the answer. A redirect without a place is an answer, as in Go's client. */
function redirectOf(response: IncomingMessage): string | undefined {
  const { statusCode = 0, headers } = response;
  return [301, 302, 303, 307, 308].includes(statusCode) ? headers.location : undefined;
}

function lengthOf({ headers }: IncomingMessage): number | undefined {
  const length = Number(headers['content-length'] ?? Number.NaN);
  return Number.isSafeInteger(length) && length >= 0 ? length : undefined;
}

async function checkStatus(url: URL, response: IncomingMessage): Promise<void> {
  const { statusCode = 0, statusMessage = '' } = response;
  if (statusCode < 400) return;
  let reason = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    reason += chunk;
    if (reason.length >= MAX_REASON) break;
  }
  const kind = KINDS.get(statusCode) ?? 'internal';
  const status = `${statusCode} ${statusMessage}`.trim();
  const text = `failed to GET ${shownUrl(url)} with status ${status}: ${reason.slice(0, MAX_REASON)}`;
  throw new WharfError(kind, text);
}

/** The body; what ends it early is told apart. */
async function* bodyOf(response: IncomingMessage, cut: () => Error): AsyncIterable<Uint8Array> {
  try {
    yield* response;
  } catch (thrown) {
    throw errnoCode(thrown) === 'ECONNRESET' ? cut() : thrown;
  }
}

function explained(url: URL, error: Error): WharfError {
  if (error instanceof WharfError) return error;
  const at = error as NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string };
  const place = `dial tcp ${at.address}:${at.port}`;
  if (at.code === 'ECONNREFUSED')
    return failed(shownUrl(url), `${place}: connect: connection refused`, error);
  if (at.code === 'ENOTFOUND') {
    return failed(shownUrl(url), `dial tcp: lookup ${at.hostname}: no such host`, error);
  }
  if (at.code === 'ECONNRESET') return failed(shownUrl(url), 'EOF', error);
  return failed(shownUrl(url), at.message, error);
}

function failed(url: string, why: string, cause?: Error): WharfError {
  return new WharfError('internal', `Get ${JSON.stringify(url)}: ${why}`, { cause });
}

function refused(url: URL): WharfError {
  const why = 'a redirect to an address of this machine or its link is not followed';
  return new WharfError('forbidden', `Get ${JSON.stringify(shownUrl(url))}: ${why}`);
}
