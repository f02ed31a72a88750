import { basename, dirname } from 'node:path';
import { WharfError } from '../base/index.ts';
import { check, cString, errnoName, lastErrno, systemError } from './errno.ts';
import { Fd, O } from './fd.ts';
import { libcFunction } from './libc.ts';
import { openat2 } from './openat2.ts';

const AF_UNIX = 1;
/** Types of sockets (socket(2)). */
export const SOCK_DGRAM = 2;
export const SOCK_SEQPACKET = 5;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** `sun_path` has 108 bytes, the last of them NUL. */
const MAX_SUN_PATH = 107;

const socketCall = libcFunction<[number, number, number]>('int socket(int domain, int type, int protocol)');
const connectCall = libcFunction<[number, Buffer, number]>(
  'int connect(int fd, const void *address, uint length)',
);
const getsockoptCall = libcFunction<[number, number, number, Buffer, Buffer]>(
  'int getsockopt(int fd, int level, int name, void *value, void *length)',
);

/**
 * A non-blocking connection of a type to a socket file. A path too long for an address goes through the
 * descriptor of its directory. `unavailable` when nobody accepts (ECONNREFUSED) or the queue is full (EAGAIN).
 */
export function connectUnix(path: string, type: number): Fd {
  const socket = new Fd(check(socketCall(AF_UNIX, type | O.NONBLOCK | O.CLOEXEC, 0), 'socket', path));
  try {
    if (Buffer.byteLength(cString(path)) <= MAX_SUN_PATH) connect(socket, path, path);
    else {
      using directory = openat2('.', dirname(path), { flags: O.PATH | O.DIRECTORY });
      connect(socket, `/proc/self/fd/${directory.fd}/${basename(path)}`, path);
    }
    return socket;
  } catch (thrown) {
    socket.close();
    throw thrown;
  }
}

function connect(socket: Fd, path: string, asked: string): void {
  if (Buffer.byteLength(path) > MAX_SUN_PATH) {
    throw new WharfError('invalid', `the name of the socket ${asked} is too long`);
  }
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(path, 2);
  if (connectCall(socket.fd, address, 2 + Buffer.byteLength(path) + 1) === 0) return;
  const errno = lastErrno();
  const error = systemError('connect', asked, errno);
  if (!['ECONNREFUSED', 'EAGAIN'].includes(errnoName(errno))) throw error;
  throw new WharfError('unavailable', error.message, { cause: error.cause });
}

/** Who made the connection of a Unix socket (SO_PEERCRED, unix(7)); undefined for any other descriptor. */
export function socketPeer(fd: Fd | number): { pid: number; uid: number; gid: number } | undefined {
  const credentials = Buffer.alloc(12);
  const length = Buffer.from([12, 0, 0, 0]);
  const number = typeof fd === 'number' ? fd : fd.fd;
  if (getsockoptCall(number, SOL_SOCKET, SO_PEERCRED, credentials, length) < 0) return undefined;
  const [pid, uid, gid] = [
    credentials.readInt32LE(0),
    credentials.readUInt32LE(4),
    credentials.readUInt32LE(8),
  ];
  // A socket of another family, or one not connected, answers with pid 0 and uid -1.
  return pid === 0 ? undefined : { pid, uid, gid };
}

const POLLHUP = 0x10;
const pollCall = libcFunction<[Buffer, number, number]>('int poll(void *fds, ulong count, int timeout)');

/**
 * Which of these descriptors have no other end any more (POLLHUP of poll(2)). A Unix socket whose peer only stopped
 * sending is not among them; of TCP only a broken connection is.
 */
export function hungUp(fds: readonly number[]): boolean[] {
  const polled = Buffer.alloc(8 * fds.length);
  for (const [at, fd] of fds.entries()) polled.writeInt32LE(fd, 8 * at);
  if (fds.length > 0 && pollCall(polled, fds.length, 0) < 0) return fds.map(() => false);
  return fds.map((_, at) => (polled.readUInt16LE(8 * at + 6) & POLLHUP) !== 0);
}
