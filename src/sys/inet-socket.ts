import { WharfError } from '../base/index.ts';
import { check, isErrno, lastErrno, systemError } from './errno.ts';
import { Fd, fdNumber, O } from './fd.ts';
import { libcFunction } from './libc.ts';
import { keepLowFds } from './low-fds.ts';
import { AF_INET, AF_INET6 } from './netlink/address.ts';
import { withNetns } from './netns-switch.ts';
import { decodeSocketAddress, encodeSocketAddress, type SocketAddress } from './socket-address.ts';

/** An Internet socket to be opened; what is left out is as the kernel makes it. */
export interface SocketRequest {
  family: 4 | 6;
  /** `sctp` is a one-to-one association. */
  type: 'stream' | 'dgram' | 'sctp';
  /** The namespace it lives in: a path or a descriptor; the present one when left out. */
  netns?: string | Fd | number;
  /** SO_REUSEADDR. */
  reuseAddress?: boolean;
  /** IPV6_V6ONLY; left out, the host's `net.ipv6.bindv6only` decides. */
  v6only?: boolean;
  /** IP_TRANSPARENT: may be bound to addresses of others, and takes what is routed to it. */
  transparent?: boolean;
  /** IP_FREEBIND: may be bound to an address that the host does not have yet. */
  freebind?: boolean;
  /** SO_MARK of what it sends. */
  mark?: number;
  /** SO_RCVBUFFORCE: bytes of memory for what waits to be received; the kernel's default is room for some 250 datagrams. */
  receiveBuffer?: number;
  bind?: SocketAddress;
  /** Length of the queue of connections that wait to be accepted. */
  listen?: number;
  connect?: SocketAddress;
}

const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const IPPROTO_SCTP = 132;
const SOL_SOCKET = 1;
const SOL_IP = 0;
const SOL_IPV6 = 41;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_RCVBUFFORCE = 33;
const SO_MARK = 36;
const IP_FREEBIND = 15;
const IP_TRANSPARENT = 19;
const IPV6_V6ONLY = 26;
const IPV6_TRANSPARENT = 75;
const IPV6_FREEBIND = 78;
const SOCKADDR_ROOM = 128;

const socketCall = libcFunction<[number, number, number]>('int socket(int domain, int type, int protocol)');
const setsockoptCall = libcFunction<[number, number, number, Buffer, number]>(
  'int setsockopt(int fd, int level, int name, const void *value, uint length)',
);
const getsockoptCall = libcFunction<[number, number, number, Buffer, Buffer]>(
  'int getsockopt(int fd, int level, int name, void *value, void *length)',
);
const bindCall = libcFunction<[number, Buffer, number]>('int bind(int fd, const void *address, uint length)');
const connectCall = libcFunction<[number, Buffer, number]>(
  'int connect(int fd, const void *address, uint length)',
);
const listenCall = libcFunction<[number, number]>('int listen(int fd, int backlog)');
const acceptCall = libcFunction<[number, Buffer, Buffer, number]>(
  'int accept4(int fd, void *address, void *length, int flags)',
);
const socknameCall = libcFunction<[number, Buffer, Buffer]>(
  'int getsockname(int fd, void *address, void *length)',
);
const peernameCall = libcFunction<[number, Buffer, Buffer]>(
  'int getpeername(int fd, void *address, void *length)',
);

/**
 * Opens a socket, non-blocking and close-on-exec, and binds, listens and connects as asked, at once: a connection of a
 * stream may be under way when it returns (writable tells its end, `socketError` how). Errors carry the errno: EADDRINUSE
 * (`conflict`), EADDRNOTAVAIL, EACCES, ENETUNREACH; `not-implemented` when the kernel lacks the family or the protocol.
 */
export function openSocket(request: SocketRequest): Fd {
  // Sockets are what a process comes to have thousands of.
  keepLowFds();
  const { netns } = request;
  return netns === undefined ? open(request) : withNetns(netns, () => open(request));
}

function open(request: SocketRequest): Fd {
  const { family, type, bind, listen, connect } = request;
  const socket = makeSocket(family, type);
  try {
    setOptions(socket.fd, request);
    if (bind) {
      const raw = encodeSocketAddress(bind);
      check(bindCall(socket.fd, raw, raw.length), 'bind', nameOf(bind));
    }
    if (listen !== undefined) check(listenCall(socket.fd, listen), 'listen', bind ? nameOf(bind) : 'socket');
    if (connect) connectTo(socket.fd, connect);
    return socket;
  } catch (thrown) {
    socket.close();
    throw thrown;
  }
}

function makeSocket(family: 4 | 6, type: SocketRequest['type']): Fd {
  const domain = family === 6 ? AF_INET6 : AF_INET;
  const kind = (type === 'dgram' ? SOCK_DGRAM : SOCK_STREAM) | O.NONBLOCK | O.CLOEXEC;
  const name = `IPv${family} ${type}`;
  try {
    return new Fd(check(socketCall(domain, kind, type === 'sctp' ? IPPROTO_SCTP : 0), 'socket', name));
  } catch (thrown) {
    if (!isErrno(thrown, 'EPROTONOSUPPORT', 'EAFNOSUPPORT', 'ESOCKTNOSUPPORT')) throw thrown;
    const { message, cause } = WharfError.from(thrown);
    throw new WharfError('not-implemented', message, { cause });
  }
}

function setOptions(fd: number, request: SocketRequest): void {
  const six = request.family === 6;
  const set = (level: number, name: number, value: number) => {
    const raw = Buffer.alloc(4);
    raw.writeUInt32LE(value);
    check(setsockoptCall(fd, level, name, raw, 4), 'setsockopt', `option ${name} of a socket`);
  };
  if (request.reuseAddress) set(SOL_SOCKET, SO_REUSEADDR, 1);
  if (six && request.v6only !== undefined) set(SOL_IPV6, IPV6_V6ONLY, request.v6only ? 1 : 0);
  if (request.transparent) set(six ? SOL_IPV6 : SOL_IP, six ? IPV6_TRANSPARENT : IP_TRANSPARENT, 1);
  if (request.freebind) set(six ? SOL_IPV6 : SOL_IP, six ? IPV6_FREEBIND : IP_FREEBIND, 1);
  if (request.receiveBuffer) set(SOL_SOCKET, SO_RCVBUFFORCE, request.receiveBuffer);
  if (request.mark !== undefined) set(SOL_SOCKET, SO_MARK, request.mark);
}

function connectTo(fd: number, address: SocketAddress): void {
  const raw = encodeSocketAddress(address);
  if (connectCall(fd, raw, raw.length) === 0) return;
  const error = systemError('connect', nameOf(address), lastErrno());
  if (!isErrno(error, 'EINPROGRESS')) throw error;
}

/** `192.0.2.1:80` or `[2001:db8::1]:80`. */
function nameOf({ ip, port }: SocketAddress): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** The socket's own address and port (getsockname(2)): tells which port the kernel chose. */
export function socketName(socket: Fd | number): SocketAddress {
  return nameBy(socknameCall, 'getsockname', fdNumber(socket));
}

/** The other end's address and port. ENOTCONN when there is none. */
export function peerName(socket: Fd | number): SocketAddress {
  return nameBy(peernameCall, 'getpeername', fdNumber(socket));
}

function nameBy(call: typeof socknameCall, name: string, fd: number): SocketAddress {
  const room = addressRoom();
  check(call(fd, room.address, room.length), name, `descriptor ${fd}`);
  return decodeRoom(room);
}

/** The errno of what went wrong on a socket since it was asked last (SO_ERROR); 0 for nothing. */
export function socketError(socket: Fd | number): number {
  const [value, length] = [Buffer.alloc(4), Buffer.from([4, 0, 0, 0])];
  const fd = fdNumber(socket);
  check(getsockoptCall(fd, SOL_SOCKET, SO_ERROR, value, length), 'getsockopt', `descriptor ${fd}`);
  return value.readInt32LE(0);
}

/**
 * Takes a connection that waits, non-blocking and close-on-exec: its descriptor, which the caller owns, and who made it.
 * Undefined when none waits; one that ended while it waited is passed over. `exhausted` when no descriptor is free.
 */
export function acceptSocket(listener: Fd | number): ({ fd: number } & SocketAddress) | undefined {
  const room = addressRoom();
  for (;;) {
    const fd = acceptCall(fdNumber(listener), room.address, room.length, O.NONBLOCK | O.CLOEXEC);
    if (fd >= 0) return { fd, ...decodeRoom(room) };
    const error = systemError('accept4', `descriptor ${fdNumber(listener)}`, lastErrno());
    if (isErrno(error, 'EAGAIN')) return undefined;
    // accept(2): errors of the network that came over the new connection are as if none had waited.
    if (!isErrno(error, ...PASSED_OVER)) throw error;
  }
}

const PASSED_OVER = [
  'EINTR',
  'ECONNABORTED',
  'EPROTO',
  'ENETDOWN',
  'ENOPROTOOPT',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETUNREACH',
];

interface AddressRoom {
  address: Buffer;
  length: Buffer;
}

function addressRoom(): AddressRoom {
  return { address: Buffer.alloc(SOCKADDR_ROOM), length: Buffer.from([SOCKADDR_ROOM, 0, 0, 0]) };
}

function decodeRoom(room: AddressRoom): SocketAddress {
  return decodeSocketAddress(room.address.subarray(0, room.length.readUInt32LE(0)));
}
