import type { Server, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import { formatApiVersion, MAX_API_VERSION } from '../api/index.ts';
import { type Logger, nodeHttp, refuseMalformed } from '../base/index.ts';
import type { Backends } from './backends.ts';
import { Dispatcher } from './http/dispatch.ts';
import { type ListenTarget, listenOn, type TlsOptions } from './listen.ts';
import { ROUTES } from './routes/index.ts';

/** What a server needs. */
export interface ApiServerOptions {
  readonly backends: Backends;
  readonly log: Logger;
  /** Wharf's version, for the `Server` header. */
  readonly version: string;
}

/** The Engine API on any number of sockets. */
export interface ApiServer {
  /** Adds a socket; `conflict` when another process listens there. */
  listen(target: ListenTarget): Promise<void>;
  /** Bound TCP ports, in the order of `listen`. */
  readonly ports: readonly number[];
  /** Open connections, hijacked ones included. */
  readonly connections: number;
  /** Accepts nothing more, gives calls under way that time, then aborts them and cuts all connections. */
  close(graceMs?: number): Promise<void>;
}

/** A request's head must be complete within this time: a slow sender holds no connection. Bodies have limits of their own. */
const HEAD_DEADLINE_MS = 20_000;
/** Idle connections live longer than the pools of usual clients, so that theirs is the choice when to close. */
const KEEP_ALIVE_MS = 120_000;
/** Registry credentials travel in headers. */
const MAX_HEAD_BYTES = 128 * 1024;

/** A server that serves the Engine API from the backends; it listens nowhere until told. */
export function createServer(options: ApiServerOptions): ApiServer {
  const { experimental, osType } = options.backends.system.ping();
  const baseHeaders = [
    'Api-Version',
    formatApiVersion(MAX_API_VERSION),
    'Docker-Experimental',
    String(experimental),
    'Ostype',
    osType,
    'Server',
    `Wharf/${options.version} (linux)`,
  ];
  const context = { backends: options.backends, log: options.log, baseHeaders };
  return new EngineServer(new Dispatcher(context, ROUTES), options.log);
}

class EngineServer implements ApiServer {
  private readonly dispatcher: Dispatcher;
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly log: Logger;

  constructor(dispatcher: Dispatcher, log: Logger) {
    this.dispatcher = dispatcher;
    this.log = log;
  }

  get connections(): number {
    return this.sockets.size;
  }

  get ports(): readonly number[] {
    return this.servers.flatMap((server) => {
      const address = server.address();
      return typeof address === 'object' && address ? [address.port] : [];
    });
  }

  async listen(target: ListenTarget): Promise<void> {
    const server = await this.newServer(target);
    await listenOn(server, target);
    // A connection that the kernel can't give us (no memory, no descriptor) must not end the daemon.
    server.on('error', (error) => this.log.error('a connection could not be accepted', { error }));
    this.servers.push(server);
  }

  async close(graceMs = 0): Promise<void> {
    const closed = this.servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    for (const server of this.servers) server.closeIdleConnections();
    if (graceMs > 0 && this.dispatcher.active.size > 0) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, graceMs);
      });
      await Promise.race([Promise.all(closed), late]);
      clearTimeout(timer);
    }
    for (const call of this.dispatcher.active) call.abort();
    const cut = [...this.sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of this.sockets) socket.destroy();
    await Promise.all([...closed, ...cut]);
  }

  private async newServer(target: ListenTarget): Promise<Server> {
    const { dispatcher } = this;
    const settings: ServerOptions = {
      insecureHTTPParser: false,
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: HEAD_DEADLINE_MS,
      requestTimeout: 0,
      connectionsCheckingInterval: 5_000,
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
      shouldUpgradeCallback: (request) => dispatcher.upgrades(request),
    };
    const tls = target.kind === 'tcp' ? target.tls : undefined;
    const server = tls ? await createTlsServer(settings, tls) : nodeHttp().createServer(settings);
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    server.on('request', (request, response) => dispatcher.request(request, response));
    server.on('upgrade', (request, socket, head) => dispatcher.upgrade(request, socket, head));
    server.on('clientError', refuseMalformed);
    return server;
  }
}

/** TLS is loaded only where it is asked for: most daemons serve a Unix socket alone. */
async function createTlsServer(settings: ServerOptions, tls: TlsOptions): Promise<Server> {
  const { createServer: createHttpsServer } = await import('node:https');
  return createHttpsServer({
    ...settings,
    cert: tls.cert,
    key: tls.key,
    ca: tls.clientCa,
    requestCert: tls.clientCa !== undefined,
    rejectUnauthorized: tls.clientCa !== undefined,
    minVersion: 'TLSv1.2',
  });
}
