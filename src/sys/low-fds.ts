import { openSync } from 'node:fs';
import { WharfError } from '../base/index.ts';
import { isErrno } from './errno.ts';
import { Fd, O } from './fd.ts';
import { libcFunction } from './libc.ts';

/** FD_SETSIZE: select(2) ends the process when it is given a higher descriptor. */
const LIMIT = 1024;
/** Some more than one, as other threads may take a number in the moment when all are free. */
const KEPT = 8;
const SOL_SOCKET = 1;
const SO_DOMAIN = 39;
const AF_NETLINK = 16;

const getsockoptCall = libcFunction<[number, number, number, Buffer, Buffer]>(
  'int getsockopt(int fd, int level, int name, void *value, void *length)',
);

let kept: Fd[] = [];

/**
 * Keeps some low descriptors for libraries that use select(2), libnftables among them. To be called before thousands of
 * others are opened; repeatable, and cheap.
 */
export function keepLowFds(): void {
  while (kept.length < KEPT) {
    const fd = openAny();
    if (!fd) return;
    if (fd.fd >= LIMIT) {
      fd.close();
      return;
    }
    kept.push(fd);
  }
}

function openAny(): Fd | undefined {
  try {
    return new Fd(openSync('/dev/null', O.PATH));
  } catch (thrown) {
    if (isErrno(thrown, 'EMFILE', 'ENFILE')) return undefined;
    throw thrown;
  }
}

/**
 * Runs `open`, whose first descriptor is a netlink socket, so that this one is low; `close` undoes it. Throws `exhausted` when
 * it is not, since a use of it would end the process.
 */
export function withLowNetlink<T>(open: () => T, close: (opened: T) => void): T {
  keepLowFds();
  const lowest = openAny();
  const numbers = [...kept, ...(lowest ? [lowest] : [])].map(({ fd }) => fd).filter((fd) => fd < LIMIT);
  lowest?.close();
  for (const fd of kept) fd.close();
  kept = [];
  try {
    const opened = open();
    if (numbers.some(isNetlink)) return opened;
    close(opened);
    throw new WharfError('exhausted', `no file descriptor below ${LIMIT} is free for libnftables`);
  } finally {
    keepLowFds();
  }
}

function isNetlink(fd: number): boolean {
  const [value, length] = [Buffer.alloc(4), Buffer.from([4, 0, 0, 0])];
  return (
    getsockoptCall(fd, SOL_SOCKET, SO_DOMAIN, value, length) === 0 && value.readInt32LE(0) === AF_NETLINK
  );
}
