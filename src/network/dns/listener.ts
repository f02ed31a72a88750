import { createServer, type Server, type Socket } from 'node:net';
import { type Logger, WharfError } from '../../base/index.ts';
import {
  type Datagram,
  type Fd,
  FdWatch,
  isErrno,
  openSocket,
  receiveDatagrams,
  sendDatagrams,
  socketName,
  withNetns,
} from '../../sys/index.ts';
import type { Question } from './message.ts';
import { redirect, redirectedPorts, redirects, SERVER_ADDRESS } from './redirect.ts';
import { serveConnection } from './tcp.ts';

/** Connections to one sandbox's server at once; the client of a further one is turned away. */
const MOST_CONNECTIONS = 64;
/** Ports are tried until one is free for UDP and TCP alike. */
const TRIES = 16;

/** Who answers what a listener hears. */
export interface Answerer {
  /** The answer, or the question if others must be asked (its memory may be kept), or undefined for silence. `message` is valid during the call. */
  now(message: Buffer, overTcp: boolean): Buffer | Question | undefined;
  /** The answer to such a question. Never fails. */
  later(question: Question, overTcp: boolean): Promise<Buffer>;
}

/** The sockets of one sandbox's name server, one for each transport, in its namespace. */
export class Listener {
  readonly port: number;
  private readonly netnsPath: string;
  private readonly answerer: Answerer;
  private readonly log: Logger;
  private readonly udp: Fd;
  private readonly watch: FdWatch;
  private readonly tcp: Server;
  private readonly connections = new Set<Socket>();
  private answers: Datagram[] = [];
  private closed = false;

  /** Opens both sockets and redirects the namespace's questions to them. Errors: `not-found` when the namespace is gone; `exhausted`. */
  constructor(netnsPath: string, answerer: Answerer, log: Logger) {
    this.netnsPath = netnsPath;
    this.answerer = answerer;
    this.log = log;
    const { udp, tcp, port } = withNetns(netnsPath, openRedirected);
    this.udp = udp;
    this.port = port;
    this.watch = new FdWatch(udp.fd, { readable: true }, () => this.receive());
    this.tcp = createServer((socket) => this.accept(socket));
    this.tcp.maxConnections = MOST_CONNECTIONS;
    this.tcp.on('error', (error) => log.warn('a name server cannot take connections', { netnsPath, error }));
    // Node owns the descriptor from here on.
    this.tcp.listen({ fd: tcp.fd }).unref();
  }

  /** Redirects anew when the namespace's rules are not as they were made. */
  repair(): void {
    withNetns(this.netnsPath, () => {
      if (!redirects(this.port)) redirect(this.port, redirectedPorts());
    });
  }

  /** True when questions get here. Errors: those of the namespace. */
  isReached(): boolean {
    return withNetns(this.netnsPath, () => redirects(this.port));
  }

  close(): void {
    this.closed = true;
    this.watch.stop();
    this.udp.close();
    this.tcp.close();
    for (const socket of this.connections) socket.destroy();
  }

  private receive(): void {
    try {
      receiveDatagrams(this.udp, this.hear);
      const answers = this.answers;
      this.answers = [];
      if (answers.length > 0) sendDatagrams(this.udp, answers);
    } catch (error) {
      // An unconnected socket has no errors of its peers: it is broken for good.
      this.log.error('a name server cannot take datagrams', { netnsPath: this.netnsPath, error });
      this.close();
    }
  }

  private readonly hear = (message: Buffer, peer: Buffer): void => {
    const answer = this.answerer.now(message, false);
    if (answer === undefined) return;
    const back = Buffer.from(peer);
    if (Buffer.isBuffer(answer)) this.answers.push({ data: answer, peer: back });
    else void this.answerer.later(answer, false).then((data) => this.send({ data, peer: back }));
  };

  private send(answer: Datagram): void {
    if (!this.closed) sendDatagrams(this.udp, [answer]);
  }

  private accept(socket: Socket): void {
    this.connections.add(socket);
    socket.once('close', () => this.connections.delete(socket));
    serveConnection(socket, this.answerer);
  }
}

interface Opened {
  udp: Fd;
  tcp: Fd;
  port: number;
}

/** Sockets in the present namespace, on the port of the last daemon, so that its rules stay as they are, or on a new one. */
function openRedirected(): Opened {
  const former = redirectedPorts();
  const opened = openBoth([...former, ...Array<number>(TRIES).fill(0)]);
  try {
    if (former.length !== 1 || former[0] !== opened.port) redirect(opened.port, former);
    return opened;
  } catch (thrown) {
    opened.udp.close();
    opened.tcp.close();
    throw thrown;
  }
}

/** The first of `ports` that is free for UDP and TCP alike; 0 stands for any. */
function openBoth(ports: readonly number[]): Opened {
  for (const wanted of ports) {
    let udp: Fd | undefined;
    try {
      udp = openSocket({ family: 4, type: 'dgram', bind: { ip: SERVER_ADDRESS, port: wanted } });
      const { port } = socketName(udp);
      const bind = { ip: SERVER_ADDRESS, port };
      return {
        udp,
        port,
        tcp: openSocket({ family: 4, type: 'stream', bind, listen: 64, reuseAddress: true }),
      };
    } catch (thrown) {
      udp?.close();
      if (!isErrno(thrown, 'EADDRINUSE')) throw thrown;
    }
  }
  throw new WharfError('exhausted', `no port of ${SERVER_ADDRESS} is free for both UDP and TCP`);
}
