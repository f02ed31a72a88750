import { decodeSocketAddress, type Fd, FdWatch, receiveDatagrams, sendDatagrams } from '../../sys/index.ts';
import { openTowards } from './carried-streams.ts';
import type { Destination } from './held-port.ts';
import type { CarryDeps } from './host-hold.ts';

interface Session {
  /** Raw address of the client. */
  peer: Buffer;
  socket: Fd;
  watch: FdWatch;
  /** Of `performance.now()`. */
  lastUsed: number;
}

/**
 * Carries the datagrams of one bound UDP socket: a session, with a socket of its own towards the container, for each
 * client. Sessions are bounded: a new client takes the place of the one that was silent longest. Answers leave by the bound
 * socket; on a port of all addresses the kernel chooses the one that fits the way back.
 */
export class CarriedDatagrams {
  private readonly socket: Fd;
  private readonly deps: CarryDeps;
  private readonly watch: FdWatch;
  /** By raw client address, the one used last at the end. */
  private readonly sessions = new Map<string, Session>();
  private destination: Destination;
  private sweep: NodeJS.Timeout | undefined;

  constructor(socket: Fd, destination: Destination, deps: CarryDeps) {
    this.socket = socket;
    this.destination = destination;
    this.deps = deps;
    this.watch = new FdWatch(socket.fd, { readable: true }, () => this.receive());
  }

  retarget(destination: Destination): void {
    this.destination = destination;
    this.endAll();
  }

  close(): void {
    this.watch.stop();
    this.endAll();
  }

  private endAll(): void {
    for (const key of [...this.sessions.keys()]) this.end(key);
  }

  private receive(): void {
    receive(this.socket, (data, peer) => {
      const session = this.sessionOf(peer);
      if (session) sendDatagrams(session.socket, [{ data }]);
    });
  }

  private sessionOf(peer: Buffer): Session | undefined {
    const key = peer.toString('latin1');
    let session = this.sessions.get(key);
    if (session) this.sessions.delete(key);
    else session = this.begin(peer, key);
    if (!session) return undefined;
    session.lastUsed = performance.now();
    this.sessions.set(key, session);
    return session;
  }

  private begin(peer: Buffer, key: string): Session | undefined {
    const { budget, limits, sources, log, refuses } = this.deps;
    const client = decodeSocketAddress(peer);
    if (refuses(client.ip)) return undefined;
    const [oldest] = this.sessions.keys();
    if (oldest !== undefined && (budget.empty || this.sessions.size >= limits.perPort)) this.end(oldest);
    if (budget.empty) return undefined;
    try {
      const mark = sources.markFor(client.ip, this.destination);
      const socket = openTowards('dgram', client, this.destination, mark);
      // The buffer of the call is used again.
      const own = Buffer.from(peer);
      const watch = new FdWatch(socket.fd, { readable: true }, () => this.answer(key));
      budget.take();
      this.sweep ??= setInterval(() => this.endIdle(), limits.idleMs / 3).unref();
      return { peer: own, socket, watch, lastUsed: 0 };
    } catch (thrown) {
      log.debug('a published port could not reach its container', {
        destination: this.destination,
        error: thrown,
      });
      return undefined;
    }
  }

  private answer(key: string): void {
    const session = this.sessions.get(key);
    if (!session) return;
    session.lastUsed = performance.now();
    receive(session.socket, (data) => {
      sendDatagrams(this.socket, [{ data, peer: session.peer }]);
    });
  }

  private endIdle(): void {
    const before = performance.now() - this.deps.limits.idleMs;
    for (const [key, { lastUsed }] of [...this.sessions]) if (lastUsed < before) this.end(key);
  }

  private end(key: string): void {
    const session = this.sessions.get(key);
    if (!session) return;
    this.sessions.delete(key);
    session.watch.stop();
    session.socket.close();
    this.deps.budget.give();
    if (this.sessions.size > 0) return;
    clearInterval(this.sweep);
    this.sweep = undefined;
  }
}

/** Errors that the kernel keeps for a socket (nobody listens there) are told by taking them; UDP loses what was sent. */
function receive(socket: Fd, each: (data: Buffer, peer: Buffer) => void): void {
  try {
    receiveDatagrams(socket, each);
  } catch {
    // Taken; the next call goes on.
  }
}
