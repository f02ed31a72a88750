import { WharfError } from '../base/index.ts';
import { errnoName, lastErrno, systemError } from './errno.ts';
import type { Fd } from './fd.ts';
import { addressOf, libcFunction } from './libc.ts';
import { FdWatch } from './poll.ts';
import { connectUnix, SOCK_DGRAM } from './unix-socket.ts';

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL_DONTWAIT = 0x4000 | 0x40;
const SIZE_OF_MSGHDR = 56;
/** `CMSG_SPACE(sizeof(int))`; the message in it has `CMSG_LEN`, 20 bytes. */
const CONTROL_SPACE = 24;
const CONTROL_LENGTH = 20n;

const sendmsgCall = libcFunction<[number, Buffer, number]>(
  'long sendmsg(int fd, const void *message, int flags)',
);

/** A SOCK_DGRAM connection to a Unix socket, for sending only. One `send` at a time. */
export class UnixDatagram implements Disposable {
  private readonly socket: Fd;
  private readonly path: string;
  private waiting: { watch: FdWatch; reject: (reason: unknown) => void } | undefined;
  private closed = false;

  private constructor(socket: Fd, path: string) {
    this.socket = socket;
    this.path = path;
  }

  /** Connects to a socket file at once. `not-found` when there is none, `unavailable` when nobody receives. */
  static connect(path: string): UnixDatagram {
    return new UnixDatagram(connectUnix(path, SOCK_DGRAM), path);
  }

  /**
   * Sends one datagram, with a descriptor if one is given (unix(7), SCM_RIGHTS); waits while the receiver's queue is
   * full. Errors: of sendmsg(2); `cause.code` is `EMSGSIZE` for one that is too long. `cancelled` when it is closed.
   */
  async send(data: Uint8Array, passed?: Fd): Promise<void> {
    for (;;) {
      if (this.closed) throw new WharfError('cancelled', 'the socket was closed');
      if (sendMessage(this.socket.fd, data, passed)) return;
      const errno = lastErrno();
      const name = errnoName(errno);
      if (name === 'EINTR') continue;
      // A full receiver is EAGAIN; memory that is short for a moment looks alike from here.
      if (name !== 'EAGAIN' && name !== 'ENOBUFS') throw systemError('sendmsg', this.path, errno);
      await this.room();
    }
  }

  private room(): Promise<void> {
    return new Promise((resolve, reject) => {
      const watch = new FdWatch(this.socket.fd, { writable: true }, () => {
        watch.stop();
        this.waiting = undefined;
        resolve();
      });
      this.waiting = { watch, reject };
    });
  }

  /** Ends a `send` that waits, too. Safe to call again. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.waiting?.watch.stop();
    this.waiting?.reject(new WharfError('cancelled', 'the socket was closed'));
    this.socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function sendMessage(fd: number, data: Uint8Array, passed: Fd | undefined): boolean {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const vector = Buffer.alloc(16);
  if (bytes.length > 0) vector.writeBigUInt64LE(addressOf(bytes), 0);
  vector.writeBigUInt64LE(BigInt(bytes.length), 8);
  const control = Buffer.alloc(CONTROL_SPACE);
  const message = Buffer.alloc(SIZE_OF_MSGHDR);
  message.writeBigUInt64LE(addressOf(vector), 16);
  message.writeBigUInt64LE(1n, 24);
  if (passed) {
    control.writeBigUInt64LE(CONTROL_LENGTH, 0);
    control.writeInt32LE(SOL_SOCKET, 8);
    control.writeInt32LE(SCM_RIGHTS, 12);
    control.writeInt32LE(passed.fd, 16);
    message.writeBigUInt64LE(addressOf(control), 32);
    message.writeBigUInt64LE(BigInt(CONTROL_SPACE), 40);
  }
  return sendmsgCall(fd, message, MSG_NOSIGNAL_DONTWAIT) >= 0;
}
