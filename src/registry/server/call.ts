import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../../base/index.ts';
import { RequestBody } from './body.ts';
import type { Grant, RegistryStorage } from './types.ts';

/** On every answer: clients tell by the first that they talk to a registry. */
export const BASE_HEADERS: readonly string[] = [
  'Docker-Distribution-Api-Version',
  'registry/2.0',
  'X-Content-Type-Options',
  'nosniff',
];

/** One request on its way. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly storage: RegistryStorage;
  readonly grant: Grant;
  readonly log: Logger;
  /** Fires when the client is gone or the server closes. */
  readonly signal: AbortSignal;
  /** A client that is silent for so long is cut; milliseconds. */
  readonly stallMs: number;
  /** For the audit: bytes of the body that was sent or received. */
  bytes: number;
}

/** Sends an answer without or with a small body; to HEAD its length alone. */
export function answer(call: Call, status: number, headers: readonly string[], body?: string | Buffer): void {
  const { request, response } = call;
  const length = body === undefined ? 0 : Buffer.byteLength(body);
  const counted = status === 204 || status === 304 ? [] : ['Content-Length', String(length)];
  response.writeHead(status, [...BASE_HEADERS, ...headers, ...counted]);
  if (body === undefined || request.method === 'HEAD') response.end();
  else {
    call.bytes = length;
    response.end(body);
  }
}

/** Sends JSON. */
export function answerJson(call: Call, value: unknown, headers: readonly string[] = []): void {
  answer(call, 200, ['Content-Type', 'application/json', ...headers], JSON.stringify(value));
}

/** The body of the request; what it brings is counted. */
export function bodyOf(call: Call): RequestBody {
  const { request, response } = call;
  return new RequestBody(request, response, call.stallMs, (bytes) => {
    call.bytes += bytes;
  });
}

/** The length that the request announces, or undefined for a chunked body. */
export function announcedLength(call: Call): number | undefined {
  const { headers } = call.request;
  if (headers['transfer-encoding'] !== undefined) return undefined;
  return Number(headers['content-length'] ?? 0);
}
