import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A stream server that keeps what it gets, and can be made to misbehave. */
export class StreamServer implements AsyncDisposable {
  readonly connections: Socket[] = [];
  port = 0;
  received = Buffer.alloc(0);
  /** Takes connections and reads nothing. */
  hangs = false;
  /** Ends each connection after so many bytes of it. */
  resetsAfter: number | undefined;
  /** Called with what one connection sent. */
  onData: (data: Buffer, connection: Socket) => void = () => undefined;
  private server: Server | undefined;

  async listen(at: number | string = 0): Promise<this> {
    const server = createServer((connection) => this.accept(connection));
    if (typeof at === 'string') server.listen(at);
    else server.listen(at, '127.0.0.1');
    await once(server, 'listening');
    this.server = server;
    if (typeof at !== 'string') this.port = (server.address() as AddressInfo).port;
    return this;
  }

  private accept(connection: Socket): void {
    this.connections.push(connection);
    connection.on('error', () => undefined);
    if (this.hangs) {
      connection.pause();
      return;
    }
    let bytes = 0;
    connection.on('data', (data: Buffer) => {
      bytes += data.length;
      if (this.resetsAfter !== undefined && bytes > this.resetsAfter) {
        connection.resetAndDestroy();
        return;
      }
      this.received = Buffer.concat([this.received, data]);
      this.onData(data, connection);
    });
  }

  /** Ends it with all its connections; another can be started on the same port. */
  async stop(): Promise<void> {
    for (const connection of this.connections.splice(0)) connection.destroy();
    const server = this.server;
    this.server = undefined;
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** A UDP socket that keeps what it gets. */
export class DatagramServer implements Disposable {
  readonly received: Buffer[] = [];
  readonly socket: DatagramSocket = createSocket('udp4');

  async listen(): Promise<this> {
    this.socket.on('message', (data) => this.received.push(data));
    this.socket.bind(0, '127.0.0.1');
    await once(this.socket, 'listening');
    return this;
  }

  get port(): number {
    return this.socket.address().port;
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

/** Resolves when something has become so; looks after each turn of the event loop. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}
