import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What goes wrong with one answer. Offsets in bytes of the body. */
export interface Fault {
  /** The connection breaks after so many bytes. */
  cutAfter?: number;
  /** Nothing more comes after so many bytes, and the connection stays. */
  stallAfter?: number;
  /** The byte there is another one. */
  flipAt?: number;
  /** The true bytes are followed by others without end, and no length is told. */
  flood?: boolean;
  /** Answered by the proxy alone. */
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Called when so many bytes have passed; the answer goes on when it has settled. */
  pauseAfter?: { bytes: number; during: () => Promise<void> };
}

/** A request as the proxy saw it. */
export interface SeenRequest {
  method: string;
  path: string;
  range: string | undefined;
  /** Bytes of the answer's body that were passed on. */
  bytes: number;
}

/** An HTTP proxy before a registry that spoils what it is told to spoil. */
export class ChaosProxy implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  /** Decides what goes wrong with a request; undefined for nothing. */
  fault: (request: SeenRequest) => Fault | undefined = () => undefined;
  readonly #target: string;
  readonly #server: Server;
  #stopFlood = new AbortController();
  readonly #sockets = new Set<Socket>();

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer((incoming, answer) => this.#pass(incoming, answer));
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(target: string): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get address(): string {
    return `localhost:${(this.#server.address() as { port: number }).port}`;
  }

  /** Bytes of blobs that went through. */
  get blobBytes(): number {
    return this.seen
      .filter(({ path }) => path.includes('/blobs/'))
      .reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #pass(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method = 'GET', url = '/', headers } = incoming;
    const entry: SeenRequest = { method, path: url, range: headers.range, bytes: 0 };
    this.seen.push(entry);
    const fault = this.fault(entry) ?? {};
    answer.on('error', () => undefined);
    if (fault.status !== undefined) {
      incoming.resume();
      answer.writeHead(fault.status, fault.headers).end(fault.body);
      return;
    }
    const outgoing = request(
      `http://${this.#target}${url}`,
      { method, headers: { ...headers, host: this.address }, agent: false },
      (reply) => {
        const kept = { ...reply.headers };
        if (fault.flood) delete kept['content-length'];
        answer.writeHead(reply.statusCode ?? 502, kept);
        this.#body(reply, answer, fault, entry).catch(() => answer.destroy());
      },
    );
    outgoing.on('error', () => answer.destroy());
    incoming.on('error', () => outgoing.destroy());
    answer.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }

  async #body(
    reply: IncomingMessage,
    answer: ServerResponse,
    fault: Fault,
    entry: SeenRequest,
  ): Promise<void> {
    const limit = fault.cutAfter ?? fault.stallAfter ?? Number.POSITIVE_INFINITY;
    let paused = fault.pauseAfter;
    for await (const piece of reply) {
      let chunk = piece as Buffer;
      if (
        fault.flipAt !== undefined &&
        fault.flipAt >= entry.bytes &&
        fault.flipAt < entry.bytes + chunk.length
      )
        (chunk[fault.flipAt - entry.bytes] as number) ^= 0xff;
      chunk = chunk.subarray(0, limit - entry.bytes);
      entry.bytes += chunk.length;
      if (!answer.write(chunk)) await this.#drained(answer);
      if (paused && entry.bytes >= paused.bytes) {
        const { during } = paused;
        paused = undefined;
        await during();
      }
      if (entry.bytes >= limit) break;
    }
    if (fault.cutAfter !== undefined) answer.destroy();
    else if (fault.flood) await this.#pour(answer, entry);
    else if (fault.stallAfter === undefined) answer.end();
  }

  async #pour(answer: ServerResponse, entry: SeenRequest): Promise<void> {
    const junk = Buffer.alloc(1 << 16, 7);
    while (!answer.destroyed && !this.#stopFlood.signal.aborted) {
      entry.bytes += junk.length;
      if (!answer.write(junk)) await this.#drained(answer);
    }
    answer.destroy();
  }

  #drained(answer: ServerResponse): Promise<void> {
    if (answer.destroyed) return Promise.reject(new Error('the client is gone'));
    return new Promise((resolve) => {
      const wake = () => {
        answer.off('drain', wake).off('close', wake);
        resolve();
      };
      answer.on('drain', wake).on('close', wake);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopFlood.abort();
    this.#server.close();
    // Not waited for: the server's own count of connections may keep one that a killed daemon left.
    for (const socket of this.#sockets) socket.destroy();
  }
}
