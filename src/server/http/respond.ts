import { randomBytes } from 'node:crypto';
import { errnoCode, WharfError } from '../../base/index.ts';
import { ERROR_STATUS } from '../error-status.ts';
import type { Call } from './call.ts';

const DISK_IS_FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** Writes one JSON answer, head and body together. */
export function sendJson(call: Call, status: number, value: unknown): void {
  const body = `${JSON.stringify(value)}\n`;
  call.response.writeHead(status, [
    ...call.context.baseHeaders,
    'Content-Type',
    'application/json',
    'Content-Length',
    String(Buffer.byteLength(body)),
  ]);
  call.response.end(body);
}

/** Answers without a body: 204 and 304 by nature, others with a length of 0. */
export function sendEmpty(call: Call, status: number): void {
  const bodiless = status === 204 || status === 304;
  const length = bodiless ? [] : ['Content-Length', '0'];
  call.response.writeHead(status, [...call.context.baseHeaders, ...length]);
  call.response.end();
}

/** Sends the head of a streamed answer now. */
export function startStream(call: Call, contentType: string): void {
  call.response.writeHead(200, [...call.context.baseHeaders, 'Content-Type', contentType]);
  call.response.flushHeaders();
}

/**
 * Turns what a handler threw into the answer, or cuts the connection when an answer is under way. Only errors that nobody
 * foresaw are logged, with an id that the client sees in place of their text.
 */
export function sendError(call: Call, thrown: unknown): void {
  const error = describe(call, thrown);
  const { response } = call;
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const status = ERROR_STATUS[error.kind];
  // The rest of the body is read and dropped: closing now would cut off a client that is still sending before it reads this.
  if (status === 304) sendEmpty(call, status);
  else sendJson(call, status, { message: error.message });
}

function describe(call: Call, thrown: unknown): WharfError {
  const error = WharfError.from(thrown);
  if (thrown instanceof WharfError || error.kind === 'cancelled') return error;
  // A full disk may show at any write, and is for the user to mend.
  if (DISK_IS_FULL.has(errnoCode(thrown) ?? '')) return WharfError.from(thrown, 'exhausted');
  const id = randomBytes(4).toString('hex');
  call.context.log.error('a request failed unexpectedly', {
    id,
    method: call.request.method,
    path: call.request.url?.split('?')[0],
    error: error.message,
    stack: thrown instanceof Error ? thrown.stack : undefined,
  });
  return new WharfError('internal', `internal error ${id}: the daemon's log has the details`);
}
