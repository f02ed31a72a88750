import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { WharfError } from '../../base/index.ts';
import { unacknowledged } from '../../sys/index.ts';
import { dialFailure } from './dial-failure.ts';

/** Where a stream goes. */
export interface StreamTarget {
  network: 'tcp' | 'tls' | 'unix';
  /** Host and port, or `path` of a Unix socket. */
  host: string;
  port: number;
  path: string;
  tls?: { ca?: Buffer | undefined; cert?: Buffer | undefined; key?: Buffer | undefined; verify: boolean };
}

/** How long a server may take to take a connection. Milliseconds. */
export const DIAL_LIMIT = 10_000;
/** A peer that is gone without a word is noticed by keep-alives from then on. Milliseconds. */
const KEEP_ALIVE = 30_000;
/** Bounds of the wait between two looks at a send queue: there is no event for an acknowledgement. Milliseconds. */
const SHORTEST_LOOK = 1;
const LONGEST_LOOK = 100;

/** Connects. Errors: `unavailable` with the text that the reference engine has for it. */
export async function dial(target: StreamTarget, signal: AbortSignal, limit = DIAL_LIMIT): Promise<Socket> {
  signal.throwIfAborted();
  const socket = open(target);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal.reason);
  const timer = setTimeout(() => reject(Object.assign(new Error(), { code: 'ETIMEDOUT' })), limit);
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once(target.network === 'tls' ? 'secureConnect' : 'connect', () => resolve());
  socket.once('error', reject);
  try {
    await promise;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE);
    return socket;
  } catch (thrown) {
    socket.destroy();
    signal.throwIfAborted();
    throw dialFailure(target.network, target, thrown);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    socket.removeListener('error', reject);
    // From now on each write tells; an event must not end the daemon.
    socket.on('error', () => undefined);
  }
}

function open({ network, host, port, path, tls }: StreamTarget): Socket {
  if (network === 'unix') return connect({ path });
  // A port that there is not would be thrown at once, past everyone who waits for an event.
  if (port > 65_535) throw new WharfError('unavailable', `dial tcp: address ${port}: invalid port`);
  if (network === 'tcp') return connect({ host, port });
  const { ca, cert, key, verify } = tls ?? { verify: true };
  return connectTls({
    host,
    port,
    rejectUnauthorized: verify,
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
  });
}

/** A stream to a log server that is opened when it is needed, and anew after a failure. */
export class StreamConnection {
  private readonly target: StreamTarget;
  private readonly renewAfter: number;
  private since = 0;
  private socket: Socket | undefined;
  private over = new AbortController();
  /** What the server answered and nobody has taken yet. */
  private answered: Buffer[] = [];
  private wake: (() => void) | undefined;

  /** A connection older than `renewAfter` milliseconds makes place for another with the next write. */
  constructor(target: StreamTarget, renewAfter = Number.POSITIVE_INFINITY) {
    this.target = target;
    this.renewAfter = renewAfter;
  }

  /**
   * Writes, and waits until the peer's kernel has all of it. Errors: `unavailable`; the connection is then gone. A slow
   * or hanging peer is waited for as long as the signal allows, and `limit` in milliseconds if it is not 0.
   */
  async write(data: Buffer, signal: AbortSignal, limit = 0): Promise<void> {
    const socket = await this.connected(signal);
    const late = limit > 0 ? AbortSignal.timeout(limit) : undefined;
    const either = late
      ? AbortSignal.any([signal, late, this.over.signal])
      : AbortSignal.any([signal, this.over.signal]);
    try {
      await written(socket, data, either);
      await this.acknowledged(socket, either);
    } catch (thrown) {
      this.drop();
      signal.throwIfAborted();
      if (late?.aborted) throw new WharfError('unavailable', 'the log server takes nothing (write timeout)');
      throw new WharfError('unavailable', `the connection to the log server broke: ${messageOf(thrown)}`, {
        cause: thrown,
      });
    }
  }

  /** The next bytes that the server answers. Errors: `unavailable` when the connection ends before. */
  async answer(signal: AbortSignal): Promise<Buffer> {
    for (;;) {
      signal.throwIfAborted();
      const next = this.answered.shift();
      if (next) return next;
      if (!this.socket || this.over.signal.aborted)
        throw new WharfError('unavailable', 'the log server ended the connection without an answer');
      const either = AbortSignal.any([signal, this.over.signal]);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        either.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  private async connected(signal: AbortSignal): Promise<Socket> {
    const isFresh = performance.now() - this.since < this.renewAfter;
    if (this.socket && isFresh && !this.over.signal.aborted) return this.socket;
    this.drop();
    const socket = await dial(this.target, signal);
    const over = new AbortController();
    const end = () => over.abort(new Error('the log server closed it'));
    socket.once('close', end).once('end', end);
    socket.on('data', (data) => {
      this.answered.push(data);
      this.wake?.();
    });
    this.over = over;
    this.since = performance.now();
    this.answered = [];
    this.socket = socket;
    return socket;
  }

  private async acknowledged(socket: Socket, signal: AbortSignal): Promise<void> {
    const fd = (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd;
    // A TLS socket keeps its descriptor beneath; what its own queue says is all there is to know.
    if (typeof fd !== 'number' || fd < 0) return;
    for (let wait = SHORTEST_LOOK; unacknowledged(fd) > 0; wait = Math.min(LONGEST_LOOK, wait * 2)) {
      await sleep(wait, undefined, { signal, ref: false });
    }
    signal.throwIfAborted();
  }

  /** Ends the connection; the next write opens another. */
  drop(): void {
    this.socket?.destroy();
    this.socket = undefined;
    this.over.abort(new Error('it was closed'));
  }
}

function messageOf(thrown: unknown): string {
  const { cause, message } = thrown as Error & { cause?: unknown };
  return cause instanceof Error ? cause.message : message;
}

async function written(socket: Socket, data: Buffer, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  socket.write(data, (error) => (error ? reject(error) : resolve()));
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
