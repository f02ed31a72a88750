import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { nodeHttp } from '../../../base/index.ts';

/** A request as a fixture saw it. */
export interface SeenRequest {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingMessage['headers'];
}

/** Answers requests; what it throws ends the connection. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A server on a loopback address of its own. */
export interface Served extends AsyncDisposable {
  /** `http://127.0.0.1:1234`. */
  origin: string;
  /** `127.0.0.1:1234`. */
  host: string;
  port: number;
  /** All requests, in order. */
  seen: SeenRequest[];
  /** Connections made so far. */
  connections(): number;
  /** Takes CONNECT requests. */
  onConnect(take: (request: IncomingMessage, socket: Duplex) => unknown): void;
}

/** Serves a handler until disposed; open connections are then closed. */
export async function serve(
  handler: Handler,
  options: { tls?: { cert: string; key: string; ca?: string; clientCerts?: boolean }; address?: string } = {},
): Promise<Served> {
  const { tls, address = '127.0.0.1' } = options;
  const seen: SeenRequest[] = [];
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    try {
      await handler(request, response);
    } catch {
      request.socket.destroy();
    }
  };
  const server = tls
    ? process
        .getBuiltinModule('node:https')
        .createServer({ ...tls, requestCert: tls.clientCerts === true, rejectUnauthorized: true }, listener)
    : nodeHttp().createServer(listener);
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const { port } = server.address() as AddressInfo;
  const host = `${address}:${port}`;
  return {
    origin: `${tls ? 'https' : 'http'}://${host}`,
    host,
    port,
    seen,
    connections: () => connections,
    onConnect: (take) => void server.on('connect', take),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A request's body. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

/** Answers with JSON. */
export function json(
  response: ServerResponse,
  status: number,
  document: unknown,
  headers: Record<string, string> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(document));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(bytes.length),
    ...headers,
  });
  response.end(bytes);
}

/** Answers with one error of the distribution-spec. */
export function fault(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  json(response, status, { errors: [{ code, message, detail: null }] }, headers);
}
