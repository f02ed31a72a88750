import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy before a registry that stops what is being sent to it at a byte, and does what a test wants then. */
export class UploadGate implements AsyncDisposable {
  /** Bytes that clients have sent. */
  sent = 0;
  /** Clients connected now. */
  readonly clients = new Set<Socket>();
  readonly #port: number;
  readonly #server: Server;
  #at = Number.POSITIVE_INFINITY;
  #reached = Promise.withResolvers<void>();
  #opened = Promise.resolve();
  #open: () => void = () => undefined;

  private constructor(port: number) {
    this.#port = port;
    this.#server = createServer((client) => this.#pass(client));
  }

  static async start(port: number): Promise<UploadGate> {
    const gate = new UploadGate(port);
    await new Promise<void>((resolve) => gate.#server.listen(0, '127.0.0.1', resolve));
    return gate;
  }

  get address(): string {
    return `localhost:${(this.#server.address() as { port: number }).port}`;
  }

  /** Closes after so many bytes from now on; resolves when it has. */
  closeAfter(bytes: number): Promise<void> {
    this.sent = 0;
    this.#at = bytes;
    this.#reached = Promise.withResolvers();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#opened = promise;
    this.#open = resolve;
    return this.#reached.promise;
  }

  /** Lets everything pass again; `cut` breaks the connections that are open. */
  open(cut = false): void {
    this.#at = Number.POSITIVE_INFINITY;
    if (cut) for (const client of this.clients) client.destroy();
    this.#open();
  }

  #pass(client: Socket): void {
    const registry = connect(this.#port, '127.0.0.1');
    this.clients.add(client);
    for (const socket of [client, registry]) socket.on('error', () => undefined);
    client.on('close', () => {
      this.clients.delete(client);
      registry.destroy();
    });
    registry.on('close', () => client.destroy());
    registry.pipe(client);
    void this.#forward(client, registry).catch(() => client.destroy());
  }

  async #forward(client: Socket, registry: Socket): Promise<void> {
    for await (const chunk of client as AsyncIterable<Buffer>) {
      this.sent += chunk.length;
      if (this.sent >= this.#at) {
        this.#reached.resolve();
        await this.#opened;
      }
      if (!registry.write(chunk))
        await new Promise((resolve) => registry.once('drain', resolve).once('close', resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.open(true);
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
