import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, silentLog } from '../../base/index.ts';
import { type ApiServer, createServer } from '../server.ts';
import { type FakeOverrides, fakeBackends } from './fake-backends.ts';

/** An answer read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** A server on a Unix socket of its own, and ways to talk to it. */
export class ServerFixture implements AsyncDisposable {
  readonly server: ApiServer;
  readonly path: string;
  private readonly dir: string;
  private readonly open: Socket[] = [];

  private constructor(server: ApiServer, dir: string) {
    this.server = server;
    this.dir = dir;
    this.path = join(dir, 'api.sock');
  }

  static async start(overrides: FakeOverrides = {}, log: Logger = silentLog): Promise<ServerFixture> {
    const dir = mkdtempSync(join(tmpdir(), 'wharf-server-'));
    const server = createServer({ backends: fakeBackends(overrides), log, version: '0.1.0' });
    const fixture = new ServerFixture(server, dir);
    await server.listen({ kind: 'unix', path: fixture.path });
    return fixture;
  }

  /** One request; an object as body is sent as JSON. */
  async ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const text =
      body === undefined || typeof body === 'string' ? (body as string | undefined) : JSON.stringify(body);
    const headers =
      text === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
    const sent = request({ socketPath: this.path, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        resolve({ status, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') });
      });
    });
    sent.on('error', reject);
    sent.end(text);
    return promise;
  }

  /** A raw connection whose received bytes pile up. */
  raw(): RawClient {
    const client = new RawClient(this.path);
    this.open.push(client.socket);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.open) socket.destroy();
    await this.server.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A client that speaks bytes. */
export class RawClient {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  ended = false;
  private readonly watchers = new Set<() => void>();

  constructor(path: string) {
    this.socket = connect({ path, allowHalfOpen: true });
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.notify();
    });
    for (const event of ['end', 'close']) {
      this.socket.on(event, () => {
        this.ended = true;
        this.notify();
      });
    }
  }

  send(data: string | Buffer): this {
    this.socket.write(data);
    return this;
  }

  /** Resolves when the text has come. */
  async until(text: string): Promise<string> {
    await this.waitFor(() => this.received.includes(text));
    return this.received.toString('latin1');
  }

  /** Resolves with all that came, when the server has ended its side. */
  async all(): Promise<Buffer> {
    await this.waitFor(() => this.ended);
    return this.received;
  }

  private async waitFor(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.ended) throw new Error(`the connection ended after: ${this.received.toString('latin1')}`);
      await new Promise<void>((resolve) => {
        const once = () => {
          this.watchers.delete(once);
          resolve();
        };
        this.watchers.add(once);
      });
    }
  }

  private notify(): void {
    for (const watcher of [...this.watchers]) watcher();
  }
}
