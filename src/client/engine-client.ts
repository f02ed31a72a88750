import type http from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorKind, nodeHttp, WharfError } from '../base/index.ts';
import type { Endpoint } from './address.ts';
import { requestFailure } from './failure.ts';

/** The highest API version that this client speaks. */
export const CLIENT_API_VERSION = '1.51';
/** No answer that is held in memory as a whole may be larger, in bytes. */
const MAX_BODY = 256 * 1024 * 1024;

/** Values of a query string; undefined and false are left out, true is `1`. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** What one request says beside its method and path. */
export interface RequestOptions {
  query?: Query;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is, in chunks. */
  body?: NodeJS.ReadableStream;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
}

/** A hijacked connection: `head` came with the answer and belongs before what the socket still brings. */
export interface Hijacked {
  socket: Socket;
  head: Buffer;
  /** `application/vnd.docker.raw-stream`, or the multiplexed one. */
  contentType: string;
}

/**
 * Speaks to one engine. Paths are unversioned unless a version is given or was negotiated: an engine answers those
 * with its own version, which saves the round trip of a ping.
 */
export class EngineClient implements Disposable {
  readonly endpoint: Endpoint;
  private version: string | undefined;
  private readonly agent: http.Agent;
  private readonly headers: Readonly<Record<string, string>>;
  private secure: typeof import('node:https') | undefined;

  constructor(
    endpoint: Endpoint,
    options: { version?: string | undefined; headers?: Readonly<Record<string, string>> } = {},
  ) {
    this.endpoint = endpoint;
    this.version = options.version;
    this.headers = options.headers ?? {};
    this.agent = new (nodeHttp().Agent)({ keepAlive: true });
  }

  /** The version both sides speak, learnt from `_ping` when none was set. */
  async negotiate(signal?: AbortSignal): Promise<string> {
    if (this.version !== undefined) return this.version;
    const response = await this.open('HEAD', '/_ping', { signal });
    response.resume();
    const theirs = header(response, 'api-version') ?? '1.24';
    this.version = olderVersion(theirs, CLIENT_API_VERSION);
    return this.version;
  }

  /** Sends a request and reads the JSON answer; `undefined` when the body is empty. Throws WharfError for status ≥ 400. */
  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const text = await this.text(method, path, options);
    return (text === '' ? undefined : parse(text)) as T;
  }

  /** Sends a request and reads the answer as text. */
  async text(method: string, path: string, options: RequestOptions = {}): Promise<string> {
    return (await readAll(await this.stream(method, path, options))).toString();
  }

  /** Sends a request whose answer has no body, or one that does not matter. Gives its status. */
  async send(method: string, path: string, options: RequestOptions = {}): Promise<number> {
    const response = await this.stream(method, path, options);
    await readAll(response);
    return response.statusCode ?? 0;
  }

  /** Sends a request and gives the answer once its headers are here. Throws WharfError for status ≥ 400. */
  async stream(method: string, path: string, options: RequestOptions = {}): Promise<http.IncomingMessage> {
    const response = await this.open(method, this.path(path, options.query), options);
    if ((response.statusCode ?? 500) < 400) return response;
    throw await errorOf(response);
  }

  /** Takes a connection over, as attach and exec do. Throws WharfError when the engine refuses. */
  async hijack(path: string, options: RequestOptions = {}): Promise<Hijacked> {
    const full = this.path(path, options.query);
    const request = await this.request('POST', full, options, { Connection: 'Upgrade', Upgrade: 'tcp' });
    const { promise, resolve, reject } = Promise.withResolvers<Hijacked>();
    request.on('upgrade', (response, socket, head) => {
      resolve({ socket: socket as Socket, head, contentType: header(response, 'content-type') ?? '' });
    });
    request.on('response', (response) => {
      errorOf(response).then(reject, reject);
    });
    request.on('error', (thrown) =>
      reject(requestFailure(this.endpoint, { method: 'POST', path: full }, thrown)),
    );
    return promise;
  }

  /** Closes the connections that are kept for reuse. */
  [Symbol.dispose](): void {
    this.agent.destroy();
  }

  private path(path: string, query: Query | undefined): string {
    const prefix = this.version === undefined ? '' : `/v${this.version}`;
    const text = query ? queryText(query) : '';
    return `${prefix}${path}${text === '' ? '' : `?${text}`}`;
  }

  private async open(method: string, path: string, options: RequestOptions): Promise<http.IncomingMessage> {
    const request = await this.request(method, path, options, {});
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    request.on('response', resolve);
    request.on('error', (thrown) => reject(requestFailure(this.endpoint, { method, path }, thrown)));
    return promise;
  }

  private async request(
    method: string,
    path: string,
    options: RequestOptions,
    extra: Record<string, string>,
  ): Promise<http.ClientRequest> {
    const { endpoint } = this;
    const body = options.json === undefined ? undefined : Buffer.from(JSON.stringify(options.json, bigints));
    const headers: Record<string, string | number> = {
      'User-Agent': 'wharf',
      ...this.headers,
      ...(body ? { 'Content-Type': 'application/json', 'Content-Length': body.length } : {}),
      ...(method === 'POST' && !body && !options.body ? { 'Content-Length': 0 } : {}),
      ...options.headers,
      ...extra,
    };
    const where =
      endpoint.socketPath !== undefined
        ? { socketPath: endpoint.socketPath, host: 'localhost' }
        : { host: endpoint.host, port: endpoint.port };
    const parameters = {
      ...where,
      method,
      path,
      headers,
      ...(options.signal ? { signal: options.signal } : {}),
    };
    const request = endpoint.tls
      ? await this.secureRequest(parameters)
      : nodeHttp().request({ ...parameters, agent: this.agent });
    if (options.body) {
      options.body.on('error', (thrown: Error) => request.destroy(WharfError.from(thrown, 'invalid')));
      options.body.pipe(request);
    } else request.end(body);
    return request;
  }

  private async secureRequest(parameters: http.RequestOptions): Promise<http.ClientRequest> {
    this.secure ??= await import('node:https');
    const { ca, cert, key, verify } = this.endpoint.tls ?? { verify: true };
    return this.secure.request({
      ...parameters,
      agent: false,
      ...(ca ? { ca } : {}),
      ...(cert ? { cert } : {}),
      ...(key ? { key } : {}),
      rejectUnauthorized: verify,
    });
  }
}

/** The older of two API versions. */
export function olderVersion(left: string, right: string): string {
  const [a = 0, b = 0] = left.split('.').map(Number);
  const [c = 0, d = 0] = right.split('.').map(Number);
  return a < c || (a === c && b < d) ? left : right;
}

/** A query string; arrays repeat their key. */
export function queryText(query: Query): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined || value === false) continue;
    if (Array.isArray(value)) for (const item of value) search.append(key, item);
    else search.append(key, value === true ? '1' : String(value));
  }
  return search.toString();
}

const KINDS: Readonly<Record<number, ErrorKind>> = {
  304: 'not-modified',
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  429: 'rate-limited',
  501: 'not-implemented',
  503: 'unavailable',
};

async function errorOf(response: http.IncomingMessage): Promise<WharfError> {
  const text = (await readAll(response)).toString();
  const status = response.statusCode ?? 500;
  const kind = KINDS[status] ?? 'internal';
  const message = messageOf(text) ?? `request returned ${response.statusMessage ?? status}: ${text.trim()}`;
  return new WharfError(kind, message.trim(), { cause: { status, engine: true } });
}

function messageOf(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'message' in body && typeof body.message === 'string')
      return body.message;
  } catch {
    return undefined;
  }
  return undefined;
}

/** True when the engine itself answered with this error, rather than the way to it. */
export function isEngineError(thrown: unknown): thrown is WharfError {
  return (
    thrown instanceof WharfError &&
    typeof thrown.cause === 'object' &&
    thrown.cause !== null &&
    'engine' in thrown.cause
  );
}

/** Reads a stream to its end. Throws `exhausted` past the limit. */
export async function readAll(
  stream: AsyncIterable<Buffer>,
  limit = MAX_BODY,
  what = "the engine's answer",
): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream) {
    size += part.length;
    if (size > limit) throw new WharfError('exhausted', `${what} is larger than ${limit} bytes`);
    parts.push(part);
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}

function header(response: http.IncomingMessage, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new WharfError('corrupt', `the engine's answer is not JSON: ${text.slice(0, 80)}`, {
      cause: thrown,
    });
  }
}

function bigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? JSON.rawJSON(value.toString()) : value;
}

declare global {
  interface JSON {
    /** Text that `JSON.stringify` writes as it is (ECMAScript proposal, in Node 24). */
    rawJSON(text: string): unknown;
  }
}
