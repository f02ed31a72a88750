import { check, errnoName, lastErrno, systemError } from './errno.ts';
import { type Fd, fdNumber } from './fd.ts';
import { libcFunction } from './libc.ts';

const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;

const lseek = libcFunction<[number, number, number]>('int64_t lseek(int fd, int64_t offset, int whence)');
const fallocateCall = libcFunction<[number, number, number, number]>(
  'int fallocate(int fd, int mode, int64_t offset, int64_t length)',
);

/**
 * Where the next data of an open file begins, at `offset` or behind it; undefined when none follows. A filesystem that
 * knows no holes says `offset`. Moves the file's position (lseek(2)).
 */
export function seekData(fd: Fd | number, offset: number): number | undefined {
  return seek(fd, offset, SEEK_DATA);
}

/** Where the next hole begins; the end of the file is one. Undefined when `offset` is not before the end. */
export function seekHole(fd: Fd | number, offset: number): number | undefined {
  return seek(fd, offset, SEEK_HOLE);
}

function seek(fd: Fd | number, offset: number, whence: number): number | undefined {
  const found = lseek(fdNumber(fd), offset, whence);
  if (found >= 0) return Number(found);
  const errno = lastErrno();
  if (errnoName(errno) === 'ENXIO') return undefined;
  throw systemError('lseek', `descriptor ${fdNumber(fd)}`, errno);
}

/** Gives a range of a file back to the filesystem: it reads as zeros then, and the size stays (fallocate(2)). */
export function punchHole(fd: Fd | number, offset: number, length: number): void {
  const mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  check(fallocateCall(fdNumber(fd), mode, offset, length), 'fallocate', `descriptor ${fdNumber(fd)}`);
}

/** Takes room for a range of a file, so that writing to it later finds room; the file grows when it is shorter. */
export function fallocate(fd: Fd | number, offset: number, length: number): void {
  check(fallocateCall(fdNumber(fd), 0, offset, length), 'fallocate', `descriptor ${fdNumber(fd)}`);
}

/** Takes room like `fallocate`, and leaves the size of the file as it is: whoever makes it longer finds the room. */
export function reserveSpace(fd: Fd | number, offset: number, length: number): void {
  const taken = fallocateCall(fdNumber(fd), FALLOC_FL_KEEP_SIZE, offset, length);
  check(taken, 'fallocate', `descriptor ${fdNumber(fd)}`);
}
