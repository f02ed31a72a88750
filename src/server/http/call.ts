import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ApiVersion } from '../../api/index.ts';
import type { Logger } from '../../base/index.ts';
import type { Backends } from '../backends.ts';

/** What every call of one server shares. */
export interface CallContext {
  readonly backends: Backends;
  readonly log: Logger;
  /** Headers of every answer, names and values in turn. */
  readonly baseHeaders: readonly string[];
}

/** One request under way. */
export class Call {
  readonly context: CallContext;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly version: ApiVersion;
  readonly params: Readonly<Record<string, string>>;
  /** The connection when it asks to leave HTTP; what follows the request's head is still to be read from it. */
  readonly upgrade: Duplex | undefined;
  private readonly search: string;
  private parsedQuery: URLSearchParams | undefined;
  private aborter: AbortController | undefined;

  constructor(
    context: CallContext,
    request: IncomingMessage,
    response: ServerResponse,
    route: { version: ApiVersion; params: Readonly<Record<string, string>>; search: string },
    upgrade?: Duplex,
  ) {
    this.context = context;
    this.request = request;
    this.response = response;
    this.version = route.version;
    this.params = route.params;
    this.search = route.search;
    this.upgrade = upgrade;
  }

  get backends(): Backends {
    return this.context.backends;
  }

  get query(): URLSearchParams {
    this.parsedQuery ??= new URLSearchParams(this.search);
    return this.parsedQuery;
  }

  /** A path parameter; the route list guarantees that it is there. */
  param(name: string): string {
    return this.params[name] ?? '';
  }

  /** Fires when the client is gone before its answer was complete. */
  get signal(): AbortSignal {
    if (!this.aborter) {
      const aborter = new AbortController();
      this.aborter = aborter;
      this.response.once('close', () => {
        if (!this.response.writableFinished) aborter.abort();
      });
      if (this.response.destroyed || this.request.socket.destroyed) aborter.abort();
    }
    return this.aborter.signal;
  }

  /** The client is gone, or the connection left HTTP and ended: work on this call should stop. */
  abort(): void {
    void this.signal;
    this.aborter?.abort();
  }
}
