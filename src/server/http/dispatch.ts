import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ApiVersion, MAX_API_VERSION, parseApiVersion, versionSegment } from '../../api/index.ts';
import { nodeHttp, span, WharfError } from '../../base/index.ts';
import { Call, type CallContext } from './call.ts';
import { sendEmpty, sendError } from './respond.ts';
import type { Route } from './route.ts';
import { type RouteMatch, RouteTrie } from './route-trie.ts';

interface Target {
  version: ApiVersion;
  match: RouteMatch | undefined;
  search: string;
}

/** Carries requests to their handlers. Nothing that a handler throws leaves it. */
export class Dispatcher {
  private readonly context: CallContext;
  private readonly trie: RouteTrie;
  /** Calls under way; a server that closes aborts them. */
  readonly active = new Set<Call>();

  constructor(context: CallContext, routes: readonly Route[]) {
    this.context = context;
    this.trie = new RouteTrie(routes);
  }

  /** True when the request may leave HTTP: only then is its connection taken from the parser. */
  upgrades(request: IncomingMessage): boolean {
    const wanted = request.headers.upgrade?.toLowerCase();
    try {
      const hijacks = this.locate(request).match?.route.hijacks;
      return hijacks !== undefined && hijacks === wanted;
    } catch {
      return false;
    }
  }

  /** Answers one request. */
  request(request: IncomingMessage, response: ServerResponse): void {
    void this.serve(request, response, undefined);
  }

  /** Answers a request that {@link upgrades}, with the bytes behind its head. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Node has taken its own listener away; an error without one would end the daemon.
    socket.on('error', () => undefined);
    if (head.length > 0) socket.unshift(head);
    const response = new (nodeHttp().ServerResponse)(request);
    response.shouldKeepAlive = false;
    response.assignSocket(request.socket);
    response.once('finish', () => {
      socket.resume();
      request.socket.destroySoon();
    });
    void this.serve(request, response, socket);
  }

  private async serve(
    request: IncomingMessage,
    response: ServerResponse,
    upgrade: Duplex | undefined,
  ): Promise<void> {
    const { context } = this;
    let call = new Call(
      context,
      request,
      response,
      { version: MAX_API_VERSION, params: {}, search: '' },
      upgrade,
    );
    // A client that breaks off shows as `close`; without a listener an error would end the daemon.
    response.on('error', () => undefined);
    try {
      const { version, match, search } = this.locate(request);
      if (!match || version < (match.route.minVersion ?? 0)) {
        if (request.method === 'OPTIONS') sendEmpty(call, 200);
        else throw new WharfError('not-found', 'page not found');
        return;
      }
      call = new Call(context, request, response, { version, params: match.params, search }, upgrade);
      this.active.add(call);
      using _ = span(`reply:${match.route.method} ${match.route.path}`, match.params['id'] ?? '');
      await match.route.handler(call);
    } catch (thrown) {
      answerError(call, thrown);
    } finally {
      this.active.delete(call);
    }
  }

  private locate(request: IncomingMessage): Target {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const segments = splitPath(path);
    const versionText = versionSegment(segments[0] ?? '');
    const version = versionText === undefined ? MAX_API_VERSION : parseApiVersion(versionText);
    const from = versionText === undefined ? 0 : 1;
    const match = this.trie.find(request.method ?? 'GET', segments, from);
    return { version, match, search: mark < 0 ? '' : url.slice(mark + 1) };
  }
}

function answerError(call: Call, thrown: unknown): void {
  try {
    sendError(call, thrown);
  } catch (second) {
    call.context.log.error('an error could not be answered', { error: String(second) });
    call.request.socket.destroy();
  }
}

/** Decoded segments; doubled slashes count as one, as Docker's redirects make them. */
function splitPath(path: string): string[] {
  const parts = path.split('/');
  const segments: string[] = [];
  for (let at = 1; at < parts.length; at++) {
    const part = parts[at]!;
    if (part === '' && at < parts.length - 1) continue;
    segments.push(part.includes('%') ? decodeSegment(part) : part);
  }
  return segments;
}

function decodeSegment(part: string): string {
  try {
    return decodeURIComponent(part).replace(/^\/+/, '');
  } catch (cause) {
    throw new WharfError('invalid', `invalid URL escape in ${JSON.stringify(part)}`, { cause });
  }
}
