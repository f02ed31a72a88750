import { WharfError } from '../base/index.ts';
import { errnoName, lastErrno, systemError } from './errno.ts';
import type { Fd } from './fd.ts';
import { libcFunction } from './libc.ts';
import { receivePackets } from './packet-batch.ts';
import { FdWatch, type Readiness } from './poll.ts';
import { connectUnix, SOCK_SEQPACKET } from './unix-socket.ts';

/** conmon reads its attach sockets by 32 KiB and would lose the rest of a longer packet. */
const MAX_PACKET = 32 * 1024;
const SHUT_WR = 1;
const MSG_NOSIGNAL_DONTWAIT = 0x4000 | 0x40;

const sendCall = libcFunction<[number, Uint8Array, number, number]>(
  'long send(int fd, const void *data, size_t length, int flags)',
);
const shutdownCall = libcFunction<[number, number]>('int shutdown(int fd, int how)');

interface Pending {
  packet: Uint8Array;
  /** Set on the last packet of a `send`. */
  done?: { resolve: () => void; reject: (reason: unknown) => void };
}

/**
 * A SOCK_SEQPACKET connection to a Unix socket. Reading starts with the first listener; each turn of the event loop
 * takes a bounded number of packets. Keeps the process running until it is closed.
 */
export class SeqpacketConnection implements Disposable {
  private readonly socket: Fd;
  private watch: FdWatch | undefined;
  private messageListener: ((data: Buffer) => void) | undefined;
  private closeListener: ((error?: WharfError) => void) | undefined;
  private inbox: Buffer[] = [];
  private outbox: Pending[] = [];
  private paused = false;
  /** Set when nothing more comes from the peer; acted on when the inbox is empty. */
  private end: { error?: WharfError } | undefined;
  private shutdownAsked = false;
  private writeError: WharfError | undefined;
  private closed = false;

  private constructor(socket: Fd) {
    this.socket = socket;
  }

  /** Connects to a socket file at once. `not-found` when there is none, `unavailable` when nobody accepts. */
  static connect(path: string): SeqpacketConnection {
    return new SeqpacketConnection(connectUnix(path, SOCK_SEQPACKET));
  }

  /** Sets the one listener of packets. A packet may be kept. */
  onMessage(listener: (data: Buffer) => void): void {
    this.messageListener = listener;
    this.rewatch();
  }

  /** Sets the one listener of the end, called once: the peer is gone (`error` when it was not orderly) or `close` was called. */
  onClose(listener: (error?: WharfError) => void): void {
    this.closeListener = listener;
    this.rewatch();
  }

  /**
   * Sends data, in packets of at most 32 KiB. True when all of it was taken at once; otherwise a promise for that,
   * which rejects with `unavailable` when the connection ends before. Empty data sends nothing.
   */
  send(data: Uint8Array): true | Promise<void> {
    const refusal = this.refusal();
    if (refusal) return rejected(refusal);
    const pending: Pending[] = [];
    for (let at = 0; at < data.length; at += MAX_PACKET) {
      const packet = data.subarray(at, at + MAX_PACKET);
      if (pending.length > 0 || this.outbox.length > 0 || !this.sendNow(packet)) pending.push({ packet });
      if (this.writeError) return rejected(this.writeError);
    }
    const last = pending.at(-1);
    if (!last) return true;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    last.done = { resolve, reject };
    promise.catch(() => {}); // a caller that does not wait learns of the end by onClose
    this.outbox.push(...pending);
    this.rewatch();
    return promise;
  }

  /** Ends the own direction after all that was sent. Reading goes on. */
  shutdownWrite(): void {
    this.shutdownAsked = true;
    if (this.outbox.length === 0 && !this.closed) shutdownCall(this.socket.fd, SHUT_WR);
  }

  /** Delivers no more packets until `resume`; the peer is held back by the kernel. */
  pause(): void {
    this.paused = true;
    this.rewatch();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.rewatch();
    if (this.inbox.length > 0 || this.end) setImmediate(() => this.deliver());
  }

  /** Ends the connection at once; what was not sent is dropped. Safe to call again. */
  close(): void {
    this.finish(undefined);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private refusal(): WharfError | undefined {
    if (this.closed || this.shutdownAsked)
      return new WharfError('unavailable', 'the connection is closed for writing');
    return this.writeError;
  }

  /** False when the kernel has no room now, or on an error, which is kept. */
  private sendNow(packet: Uint8Array): boolean {
    if (sendCall(this.socket.fd, packet, packet.length, MSG_NOSIGNAL_DONTWAIT) >= 0) return true;
    const errno = lastErrno();
    if (!['EAGAIN', 'EINTR', 'ENOBUFS'].includes(errnoName(errno))) {
      const error = systemError('send', 'packet', errno);
      this.writeError = new WharfError('unavailable', error.message, { cause: error.cause });
    }
    return false;
  }

  private rewatch(): void {
    if (this.closed) return;
    const listening = this.messageListener !== undefined || this.closeListener !== undefined;
    const events = {
      readable: listening && !this.paused && !this.end,
      writable: this.outbox.length > 0,
    };
    if (this.watch) this.watch.update(events);
    else if (events.readable || events.writable) {
      this.watch = new FdWatch(this.socket.fd, events, (ready) => this.onReady(ready), true);
    }
  }

  private onReady(ready: Readiness): void {
    if (ready.writable) this.flush();
    if (ready.readable && !this.closed) this.receive();
  }

  private flush(): void {
    for (let next = this.outbox[0]; next && this.sendNow(next.packet); next = this.outbox[0]) {
      this.outbox.shift();
      next.done?.resolve();
    }
    if (this.writeError) this.failOutbox(this.writeError);
    if (this.outbox.length > 0) return;
    this.rewatch();
    if (this.shutdownAsked && !this.closed) shutdownCall(this.socket.fd, SHUT_WR);
  }

  private receive(): void {
    const { packets, ended, errno, truncated } = receivePackets(this.socket.fd);
    if (this.inbox.length === 0) this.inbox = packets;
    else this.inbox.push(...packets);
    if (truncated)
      this.end = { error: new WharfError('corrupt', 'a packet was longer than the peer may send') };
    else if (errno !== 0) this.end = { error: systemError('recv', 'packet', errno) };
    else if (ended) this.end = {};
    if (this.end) this.rewatch();
    this.deliver();
  }

  private deliver(): void {
    const batch = this.inbox;
    let at = 0;
    while (at < batch.length && !this.paused && !this.closed) {
      const packet = batch[at] as Buffer;
      at += 1;
      this.messageListener?.(packet);
    }
    this.inbox = batch.slice(at);
    if (this.end && this.inbox.length === 0 && !this.paused) this.finish(this.end.error);
  }

  private finish(error: WharfError | undefined): void {
    if (this.closed) return;
    this.closed = true;
    this.watch?.stop();
    this.socket.close();
    this.failOutbox(error ?? new WharfError('unavailable', 'the connection was closed'));
    this.closeListener?.(error);
  }

  private failOutbox(error: WharfError): void {
    const dropped = this.outbox;
    this.outbox = [];
    for (const { done } of dropped) done?.reject(error);
  }
}

function rejected(error: WharfError): Promise<void> {
  const promise = Promise.reject(error);
  promise.catch(() => {});
  return promise;
}
