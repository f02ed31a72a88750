import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A server of Fluentd's forward protocol that acknowledges each message; or one that hangs, or is away. */
export class ForwardServer {
  /** What containers printed, in the order in which it was acknowledged. */
  readonly lines: string[] = [];
  hangs = false;
  #server: Server | undefined;
  readonly #connections = new Set<Socket>();
  #port = 0;

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Listens; on the same port again after a `stop`. */
  async start(): Promise<this> {
    this.#server = createServer((connection) => this.#accept(connection));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  #accept(connection: Socket): void {
    this.#connections.add(connection);
    connection.on('error', () => undefined).on('close', () => this.#connections.delete(connection));
    if (this.hangs) {
      connection.pause();
      return;
    }
    let text = '';
    connection.on('data', (data) => {
      text += data.toString('latin1');
      const message = /\xa3log(?:[\xa0-\xbf]|\xd9.)([^\x81\xa4]*)[^\x81]*\x81\xa5chunk\xb8(.{24})/gs;
      let end = 0;
      const answers: string[] = [];
      for (const match of text.matchAll(message)) {
        this.lines.push(match[1] as string);
        answers.push(`\x81\xa3ack\xb8${match[2]}`);
        end = match.index + match[0].length;
      }
      text = text.slice(end);
      connection.write(Buffer.from(answers.join(''), 'latin1'));
    });
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    const server = this.#server;
    this.#server = undefined;
    if (server) await new Promise((resolve) => server.close(resolve));
  }
}
