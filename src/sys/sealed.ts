import { writeSync } from 'node:fs';
import { check, errnoName, lastErrno, systemError } from './errno.ts';
import { Fd } from './fd.ts';
import { libcFunction } from './libc.ts';

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
/** Says that it may be executed, for hosts where memory files may not by default (kernel 6.3, `vm.memfd_noexec`). */
const MFD_EXEC = 0x10;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, SHRINK, GROW and WRITE (fcntl(2)). */
const ALL_SEALS = 0xf;

const memfdCreate = libcFunction<[string, number]>('int memfd_create(const char *name, uint flags)');
const fcntl = libcFunction<[number, number, number]>('int fcntl(int fd, int command, long argument)');

/** A file in memory (memfd_create(2)); `name` is for people who look at /proc. */
export function memoryFile(name: string): Fd {
  return new Fd(check(memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), 'memfd_create', name));
}

/**
 * A copy in memory that nobody can change any more, not even who may write to the original; it may be executed.
 * Errors: `forbidden` where the host allows no executable memory files.
 */
export function sealedFile(name: string, content: Buffer): Fd {
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const made = memfdCreate(name, flags | MFD_EXEC);
  // An older kernel does not know the flag, and needs none.
  const file = made >= 0 ? new Fd(made) : executable(name, flags);
  try {
    for (let at = 0; at < content.length; ) at += writeSync(file.fd, content, at);
    check(fcntl(file.fd, F_ADD_SEALS, ALL_SEALS), 'fcntl', name);
    return file;
  } catch (thrown) {
    file.close();
    throw thrown;
  }
}

function executable(name: string, flags: number): Fd {
  const errno = lastErrno();
  if (errnoName(errno) !== 'EINVAL') throw systemError('memfd_create', name, errno);
  return new Fd(check(memfdCreate(name, flags), 'memfd_create', name));
}
