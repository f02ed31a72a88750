import { Socket } from 'node:net';
import { acceptSocket, type Fd, FdWatch, isErrno, openSocket, socketError } from '../../sys/index.ts';
import { type Destination, familyOf } from './held-port.ts';
import type { CarryDeps } from './host-hold.ts';

/** Connections taken in one turn of the event loop. */
const ACCEPTED_AT_ONCE = 32;
/** How long a port rests when no descriptor is free for a connection. */
const REST_MS = 200;
/** Peers that vanished are found by the kernel's probes after so long. */
const KEEP_ALIVE_MS = 60_000;

interface Client {
  fd: number;
  ip: string;
  port: number;
}

/** Carries the TCP connections of one listening socket: both directions, half-closed ones too, at the speed of the slower end. */
export class CarriedStreams {
  private readonly listener: Fd;
  private readonly deps: CarryDeps;
  private readonly watch: FdWatch;
  private readonly open = new Set<() => void>();
  private destination: Destination;
  private rest: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(listener: Fd, destination: Destination, deps: CarryDeps) {
    this.listener = listener;
    this.destination = destination;
    this.deps = deps;
    this.watch = new FdWatch(listener.fd, { readable: true }, () => this.accept());
  }

  retarget(destination: Destination): void {
    this.destination = destination;
    this.endAll();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.rest);
    this.watch.stop();
    this.endAll();
  }

  private endAll(): void {
    for (const end of [...this.open]) end();
  }

  private accept(): void {
    for (let taken = 0; taken < ACCEPTED_AT_ONCE; taken++) {
      const full = this.open.size >= this.deps.limits.perPort || this.deps.budget.empty;
      const client = full ? 'later' : this.acceptOne();
      if (client === 'later') this.pause();
      if (client === undefined || client === 'later') return;
      if (this.deps.refuses(client.ip)) streamOf(client.fd).resetAndDestroy();
      else this.carry(client);
    }
  }

  private acceptOne(): Client | undefined | 'later' {
    try {
      return acceptSocket(this.listener);
    } catch (thrown) {
      this.deps.log.warn('a connection to a published port waits', { error: thrown });
      return 'later';
    }
  }

  /** What waits stays in the kernel's queue meanwhile. */
  private pause(): void {
    this.watch.update({});
    this.rest ??= setTimeout(() => {
      this.rest = undefined;
      if (!this.closed) this.watch.update({ readable: true });
    }, REST_MS).unref();
  }

  private carry(from: Client): void {
    const { deps, destination } = this;
    deps.budget.take();
    const client = streamOf(from.fd);
    let container: Socket | undefined;
    let connecting: Disposable | undefined;
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      connecting?.[Symbol.dispose]();
      for (const socket of [client, container]) socket?.resetAndDestroy();
      finish();
    };
    const finish = () => {
      if (this.open.delete(end)) deps.budget.give();
    };
    this.open.add(end);
    client.on('error', end);
    connecting = connectStream(from, destination, deps, (socket) => {
      if (!socket) return end();
      container = socket;
      join(client, container, end, finish);
    });
  }
}

function streamOf(fd: number): Socket {
  const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  // Held ports do not keep the daemon from ending.
  socket.unref();
  return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
}

/** Pipes both ways. An error of one end resets the other; `finish` is called when both are closed. */
function join(client: Socket, container: Socket, end: () => void, finish: () => void): void {
  let closed = 0;
  container.on('error', end);
  for (const socket of [client, container]) {
    socket.once('close', () => {
      closed += 1;
      if (closed === 2) finish();
    });
  }
  client.pipe(container);
  container.pipe(client);
}

/** Connects to the container, with the client's address where it can be kept. `done` is called once, later; without a socket when it failed. */
function connectStream(
  client: Client,
  destination: Destination,
  { sources, limits, log }: CarryDeps,
  done: (socket: Socket | undefined) => void,
): Disposable {
  let fd: Fd;
  try {
    fd = openTowards('stream', client, destination, sources.markFor(client.ip, destination));
  } catch (thrown) {
    log.debug('a published port could not reach its container', { destination, error: thrown });
    const failing = setImmediate(done, undefined);
    return { [Symbol.dispose]: () => clearImmediate(failing) };
  }
  let over = false;
  const settle = (connected: boolean) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    watch.stop();
    // From here on the descriptor is the stream's.
    const socket = connected ? streamOf(fd.fd) : undefined;
    if (!socket) fd.close();
    done(socket);
  };
  const timer = setTimeout(settle, limits.connectMs, false).unref();
  const watch = new FdWatch(fd.fd, { writable: true }, () => settle(socketError(fd) === 0));
  return { [Symbol.dispose]: () => settle(false) };
}

/**
 * A socket that is connected, or connecting, to the container. With a mark it has the client's address, and its port where
 * that is free. Errors: the system's.
 */
export function openTowards(
  type: 'stream' | 'dgram',
  client: { ip: string; port: number },
  { ip, port }: Destination,
  mark: number | undefined,
): Fd {
  const plain = { family: familyOf(ip), type, connect: { ip, port } };
  if (mark === undefined) return openSocket(plain);
  const disguised = { ...plain, transparent: true, reuseAddress: true, mark };
  try {
    return openSocket({ ...disguised, bind: { ip: client.ip, port: client.port } });
  } catch (thrown) {
    if (!isErrno(thrown, 'EADDRINUSE', 'EADDRNOTAVAIL')) throw thrown;
    return openSocket({ ...disguised, bind: { ip: client.ip, port: 0 } });
  }
}
