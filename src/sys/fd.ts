import { closeSync, constants } from 'node:fs';
import { check, errnoName, lastErrno, systemError } from './errno.ts';
import { libcFunction, libcFunctionLater } from './libc.ts';

/** `open(2)` flags by name. Those that Node knows are taken from it, because some differ by architecture. */
export const O = {
  RDONLY: constants.O_RDONLY,
  WRONLY: constants.O_WRONLY,
  RDWR: constants.O_RDWR,
  CREAT: constants.O_CREAT,
  EXCL: constants.O_EXCL,
  TRUNC: constants.O_TRUNC,
  APPEND: constants.O_APPEND,
  NOCTTY: constants.O_NOCTTY,
  NONBLOCK: constants.O_NONBLOCK,
  DIRECTORY: constants.O_DIRECTORY,
  NOFOLLOW: constants.O_NOFOLLOW,
  NOATIME: constants.O_NOATIME,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
} as const;

/** The directory argument that means the working directory. */
export const AT_FDCWD = -100;

const closeCall = libcFunctionLater<[number]>('int close(int fd)');

/** A file descriptor that someone owns. Closing twice is safe; after that `fd` is -1, which every call refuses. */
export class Fd implements Disposable {
  private number: number;

  constructor(number: number) {
    this.number = number;
  }

  get fd(): number {
    return this.number;
  }

  close(): void {
    if (this.number < 0) return;
    const closing = this.number;
    this.number = -1;
    closeSync(closing);
  }

  /**
   * Closes it off the event loop: the last descriptor of a file system that is mounted nowhere any more takes seconds where
   * much is to be written to the disk first.
   */
  async closeLater(): Promise<void> {
    if (this.number < 0) return;
    const closing = this.number;
    this.number = -1;
    await closeCall(closing);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The number of an `Fd` or a number. */
export function fdNumber(fd: Fd | number): number {
  return typeof fd === 'number' ? fd : fd.fd;
}

const fcntl = libcFunction<[number, number, number]>('int fcntl(int fd, int command, long argument)');
const F_DUPFD_CLOEXEC = 1030;

/** A second descriptor of the same open file, close-on-exec, not below `lowest`. */
export function duplicateFd(fd: Fd | number, lowest = 3): Fd {
  return new Fd(check(fcntl(fdNumber(fd), F_DUPFD_CLOEXEC, lowest), 'fcntl', `descriptor ${fdNumber(fd)}`));
}

const pipe2Call = libcFunction<[Buffer, number]>('int pipe2(void *fds, int flags)');

/** A pipe: its reading and its writing end, both close-on-exec. */
export function pipe2(options: { nonBlocking?: boolean } = {}): [Fd, Fd] {
  const ends = Buffer.alloc(8);
  check(pipe2Call(ends, O.CLOEXEC | (options.nonBlocking ? O.NONBLOCK : 0)), 'pipe2', 'pipe');
  return [new Fd(ends.readInt32LE(0)), new Fd(ends.readInt32LE(4))];
}

const flockCall = libcFunction<[number, number]>('int flock(int fd, int operation)');

/**
 * Takes an advisory lock on the open file (`flock(2)`), which goes when its last descriptor is closed.
 * False when it is held elsewhere and `nonBlocking` was asked; without that the calling thread waits.
 */
export function flock(fd: Fd | number, options: { exclusive: boolean; nonBlocking: boolean }): boolean {
  const operation = (options.exclusive ? 2 : 1) | (options.nonBlocking ? 4 : 0);
  if (flockCall(fdNumber(fd), operation) === 0) return true;
  const errno = lastErrno();
  if (errnoName(errno) === 'EAGAIN') return false;
  throw systemError('flock', `descriptor ${fdNumber(fd)}`, errno);
}
