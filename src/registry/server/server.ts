import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import { refuseMalformed } from '../../base/index.ts';
import { auditOf, type Served } from './audit-entry.ts';
import { deleteBlob, sendBlob } from './blob-handlers.ts';
import { answerJson, BASE_HEADERS, type Call } from './call.ts';
import { type FailureCode, failureBody, failureOf } from './failure.ts';
import { listReferrers, listRepositories, listTags } from './listing-handlers.ts';
import { deleteManifest, putManifest, sendManifest } from './manifest-handlers.ts';
import { actionOf, parseRoute, type Route } from './route.ts';
import type { Needs, Refusal, RegistryServer, RegistryServerOptions } from './types.ts';
import { appendUpload, cancelUpload, finishUpload, startUpload, uploadStatus } from './upload-handlers.ts';

/** How long the rest of a refused body is read and thrown away, so that its sender sees the answer; milliseconds. */
const LINGER_MS = 5_000;

/** Unless told otherwise, a silent client is cut after so many milliseconds. */
const STALL_MS = 60_000;

/** Limits of servers: a slow head holds no connection; bodies have deadlines of their own. */
const SETTINGS: ServerOptions = {
  insecureHTTPParser: false,
  maxHeaderSize: 64 << 10,
  headersTimeout: 20_000,
  requestTimeout: 0,
  connectionsCheckingInterval: 5_000,
  keepAliveTimeout: 120_000,
  noDelay: true,
  // A piece at a time: what a slow disk makes wait stays with the kernel, and no pieces are joined.
  highWaterMark: 16 << 10,
};

/** What a route's missing thing is called. */
const UNKNOWN: Record<Route['kind'], FailureCode> = {
  base: 'UNKNOWN',
  catalog: 'UNKNOWN',
  tags: 'NAME_UNKNOWN',
  manifest: 'MANIFEST_UNKNOWN',
  referrers: 'MANIFEST_UNKNOWN',
  blob: 'BLOB_UNKNOWN',
  uploads: 'BLOB_UNKNOWN',
  upload: 'BLOB_UPLOAD_UNKNOWN',
};

const NO_QUERY = new URLSearchParams();

/** A registry by OCI Distribution 1.1 on the storage, for those whom the gatekeeper lets in. */
export function createRegistryServer(options: RegistryServerOptions): RegistryServer {
  return new HttpRegistry(options);
}

class HttpRegistry implements RegistryServer {
  readonly settings = SETTINGS;
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  private readonly options: RegistryServerOptions;
  /** Calls under way, by how to cut them. */
  private readonly active = new Map<AbortController, Promise<void>>();

  constructor(options: RegistryServerOptions) {
    this.options = options;
    this.handler = (request, response) => this.serve(request, response);
  }

  attach(server: Server): void {
    server.on('request', this.handler);
    // Who asks before he sends a body is told to go on only when the body is wanted.
    server.on('checkContinue', this.handler);
    server.on('clientError', refuseMalformed);
  }

  async close(): Promise<void> {
    for (const cut of this.active.keys()) cut.abort();
    await Promise.allSettled(this.active.values());
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const cut = new AbortController();
    // Now: a connection that is closed does not know its address any more.
    const from = request.socket.remoteAddress ?? '';
    const state: Served = { from, route: undefined, user: undefined, call: undefined, query: NO_QUERY };
    response.once('close', () => {
      cut.abort();
      this.options.audit(auditOf(request, response, state));
    });
    cut.signal.addEventListener(
      'abort',
      () => request.destroyed || response.writableFinished || request.destroy(),
      {
        once: true,
      },
    );
    const work = this.answer(request, response, state, cut.signal).catch((thrown: unknown) =>
      this.fail(request, response, state, thrown),
    );
    this.active.set(cut, work);
    void work.finally(() => {
      this.active.delete(cut);
      // What the kernel did not take at once waits for the client: one that takes nothing holds no connection.
      const { socket } = request;
      if (socket.writableLength > 0) socket.setTimeout(this.options.stallMs ?? STALL_MS);
    });
  }

  private async answer(
    request: IncomingMessage,
    response: ServerResponse,
    state: Served,
    signal: AbortSignal,
  ): Promise<void> {
    const { storage, gatekeeper, log, stallMs = STALL_MS } = this.options;
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    if (gatekeeper.serve && gatekeeper.serves?.(path)) {
      state.user = (await gatekeeper.serve(request, response)).user;
      return;
    }
    const method = request.method ?? 'GET';
    const route = parseRoute(path, method);
    state.route = route;
    if (mark >= 0) state.query = new URLSearchParams(url.slice(mark + 1));
    const needs = needsOf(route, method);
    const asked = gatekeeper.authorize(request, needs);
    const verdict = asked instanceof Promise ? await asked : asked;
    state.user = verdict.user;
    if ('status' in verdict) return refuse(request, response, verdict);
    const call: Call = {
      request,
      response,
      query: state.query,
      storage,
      grant: verdict,
      log,
      signal,
      stallMs,
      bytes: 0,
    };
    state.call = call;
    await dispatch(call, route, method);
  }

  private fail(request: IncomingMessage, response: ServerResponse, state: Served, thrown: unknown): void {
    if (response.headersSent || response.destroyed) {
      // The answer began: all that is left is to break it off.
      response.destroy();
      return;
    }
    const failure = failureOf(thrown, state.route ? UNKNOWN[state.route.kind] : 'UNKNOWN');
    if (failure.status >= 500)
      this.options.log.error('a request to the registry failed', {
        method: request.method,
        url: request.url,
        error: thrown,
      });
    sendFailure(request, response, failure.status, failure.headers, {
      code: failure.code,
      message: failure.message,
      detail: failure.detail,
    });
  }
}

async function dispatch(call: Call, route: Route, method: string): Promise<void> {
  switch (route.kind) {
    case 'manifest':
      if (method === 'PUT') return putManifest(call, route);
      return method === 'DELETE' ? deleteManifest(call, route) : sendManifest(call, route);
    case 'blob':
      return method === 'DELETE' ? deleteBlob(call, route) : sendBlob(call, route);
    case 'uploads':
      return startUpload(call, route);
    case 'upload':
      if (method === 'PATCH') return appendUpload(call, route);
      if (method === 'PUT') return finishUpload(call, route);
      return method === 'DELETE' ? cancelUpload(call, route) : uploadStatus(call, route);
    case 'tags':
      return listTags(call, route);
    case 'referrers':
      return listReferrers(call, route);
    case 'catalog':
      return listRepositories(call);
    case 'base':
      return answerJson(call, {});
  }
}

function needsOf(route: Route, method: string): Needs {
  const action = actionOf(route, method);
  if (action === 'base' || action === 'catalog') return action;
  return { repository: (route as { repository: string }).repository, action };
}

function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const { status, challenge, retryAfter } = refusal;
  const headers = [
    ...(challenge === undefined ? [] : ['WWW-Authenticate', challenge]),
    ...(retryAfter === undefined ? [] : ['Retry-After', String(retryAfter)]),
  ];
  sendFailure(request, response, status, headers, refusal);
}

function sendFailure(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: readonly string[],
  error: { code: string; message: string; detail?: unknown },
): void {
  const body = failureBody(error.code, error.message, error.detail);
  response.writeHead(status, [
    ...BASE_HEADERS,
    ...headers,
    'Content-Type',
    'application/json',
    'Content-Length',
    String(Buffer.byteLength(body)),
  ]);
  response.end(request.method === 'HEAD' ? undefined : body);
  if (request.complete) return;
  // A sender that does not look up before it has sent all would see a reset instead of the answer.
  request.resume();
  const timer = setTimeout(() => request.destroy(), LINGER_MS);
  timer.unref();
  request.once('close', () => clearTimeout(timer));
}
