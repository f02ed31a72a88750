import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Handler, type Served, serve } from './serve.ts';

/** What is done to one request in place of, or with, its right answer. */
export type Fault =
  | { kind: 'status'; status: number; headers?: Record<string, string>; body?: string }
  /** The connection ends after that many bytes of the body. */
  | { kind: 'cut'; after: number }
  /** Nothing more comes after that many bytes of the body. */
  | { kind: 'stall'; after: number }
  /** The connection ends before a head. */
  | { kind: 'reset' }
  /** A connection that is taken, and silence. */
  | { kind: 'silence' }
  /** The body's first byte is another one. */
  | { kind: 'lie' }
  /** A body without an end. */
  | { kind: 'flood' }
  /** The connection ends while the request's body still comes. */
  | { kind: 'cut-request'; after: number };

/** Says what happens to a request; undefined for its right answer. Called once for each. */
export type Plan = (request: IncomingMessage, count: number) => Fault | undefined;

/** Serves a handler through a plan of faults. `count` is the number of requests before, without `GET /v2/`. */
export async function serveChaos(
  handler: Handler,
  plan: Plan,
  options: Parameters<typeof serve>[1] = {},
): Promise<Served> {
  let count = 0;
  return serve((request, response) => {
    if (request.url === '/v2/') return handler(request, response);
    const fault = plan(request, count++);
    return fault === undefined ? handler(request, response) : perform(fault, handler, request, response);
  }, options);
}

function perform(
  fault: Fault,
  handler: Handler,
  request: IncomingMessage,
  response: ServerResponse,
): unknown {
  switch (fault.kind) {
    case 'status':
      response.writeHead(fault.status, fault.headers);
      return response.end(fault.body);
    case 'reset':
      return request.socket.resetAndDestroy();
    case 'silence':
      return undefined;
    case 'flood':
      return flood(response);
    case 'cut-request':
      return cutRequest(fault.after, handler, request, response);
    default:
      return handler(request, changed(fault, response));
  }
}

/** The same response, whose one `end(bytes)` is treated as the fault says. */
function changed(
  fault: Extract<Fault, { kind: 'cut' | 'stall' | 'lie' }>,
  response: ServerResponse,
): ServerResponse {
  const end = response.end.bind(response);
  const replaced = (bytes?: unknown) => {
    if (!(bytes instanceof Uint8Array)) return end();
    if (fault.kind === 'lie') {
      const other = Buffer.from(bytes);
      other[0] = (other[0] ?? 0) ^ 1;
      return end(other);
    }
    response.write(bytes.subarray(0, fault.after), () => {
      if (fault.kind === 'cut') response.destroy();
    });
    return response;
  };
  response.end = replaced as typeof response.end;
  return response;
}

function flood(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const chunk = Buffer.alloc(65_536, ' ');
  const pour = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', pour);
  pour();
}

function cutRequest(
  after: number,
  handler: Handler,
  request: IncomingMessage,
  response: ServerResponse,
): unknown {
  let seen = 0;
  request.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    if (seen >= after) request.socket.destroy();
  });
  return handler(request, response);
}
