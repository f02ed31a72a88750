import { chmodSync } from 'node:fs';
import { hostname, machine, release, type, version } from 'node:os';
import { check, cString, fromNodeError } from './errno.ts';
import { libcFunction } from './libc.ts';

/** `sysinfo(2)`; sizes in bytes. */
export interface SystemInfo {
  uptimeSeconds: number;
  totalMemory: number;
  freeMemory: number;
  totalSwap: number;
  freeSwap: number;
  processes: number;
}

const sysinfoCall = libcFunction<[Buffer]>('int sysinfo(void *info)');

/** Memory, swap and uptime of the host. */
export function sysinfo(): SystemInfo {
  const raw = Buffer.alloc(128);
  check(sysinfoCall(raw), 'sysinfo', 'host');
  const unit = BigInt(raw.readUInt32LE(104));
  const size = (at: number) => Number(raw.readBigUInt64LE(at) * unit);
  return {
    uptimeSeconds: Number(raw.readBigInt64LE(0)),
    totalMemory: size(32),
    freeMemory: size(40),
    totalSwap: size(64),
    freeSwap: size(72),
    processes: raw.readUInt16LE(80),
  };
}

/** `uname(2)`. */
export function uname(): {
  sysname: string;
  nodename: string;
  release: string;
  version: string;
  machine: string;
} {
  return {
    sysname: type(),
    nodename: hostname(),
    release: release(),
    version: version(),
    machine: machine(),
  };
}

const mkfifoCall = libcFunction<[string, number]>('int mkfifo(const char *path, uint mode)');

/** Makes a FIFO with exactly that mode, whatever the umask. EEXIST when the name is taken. */
export function mkfifo(path: string, mode: number): void {
  check(mkfifoCall(cString(path), mode), 'mkfifo', path);
  try {
    chmodSync(path, mode);
  } catch (thrown) {
    throw fromNodeError(thrown, 'chmod', path);
  }
}
