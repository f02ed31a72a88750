import { check } from './errno.ts';
import { libcFunction } from './libc.ts';

/** tcp(7), unix(7). */
const SIOCOUTQ = 0x5411;

const ioctl = libcFunction<[number, number, Buffer]>('int ioctl(int fd, unsigned long request, void *value)');

/** Bytes in the send queue of a stream socket that its peer has not acknowledged (TCP) or read (Unix). Errors: of ioctl(2). */
export function unacknowledged(fd: number): number {
  const value = Buffer.alloc(4);
  check(ioctl(fd, SIOCOUTQ, value), 'ioctl SIOCOUTQ', `${fd}`);
  return value.readInt32LE(0);
}
