import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fstatat } from './at.ts';
import { check, isErrno } from './errno.ts';
import { type Fd, O } from './fd.ts';
import { ioctl, ioctlNumber } from './ioctl.ts';
import { openat2 } from './openat2.ts';

// linux/loop.h
const LOOP_CONFIGURE = 0x4c0a;
const LOOP_GET_STATUS64 = 0x4c05;
const LOOP_CTL_GET_FREE = 0x4c82;
const LO_FLAGS_AUTOCLEAR = 4;
const CONFIG_SIZE = 304;
/** Of `struct loop_config`: a descriptor and a block size before `struct loop_info64`, whose flags are at 52. */
const FLAGS_AT = 8 + 52;
/** Of `struct loop_info64`: the numbers of the file's filesystem and inode are its first. */
const INFO_SIZE = 232;
/** Others may take the device that was free; each try asks for another one. */
const MAX_TRIES = 64;

/** A block device that shows a file. It goes when nothing uses it any more: this, a mount, another open descriptor. */
export interface LoopDevice extends Disposable {
  /** As in /dev. */
  path: string;
}

/**
 * Makes a file a block device. One that shows it already is shared, as mount(8) does: a filesystem mounted from two devices
 * at once is destroyed, and a mount namespace somewhere may hold the first long after it was unmounted here. Errors: those of
 * open(2); EBUSY when others took every device that was free.
 */
export function attachLoop(file: string): LoopDevice {
  using backing = openat2('/', file, { flags: O.RDWR });
  const present = presentDevice(backing, file);
  if (present) return present;
  using control = openat2('/dev', 'loop-control', { flags: O.RDWR });
  for (let left = MAX_TRIES; ; left -= 1) {
    const number = check(ioctlNumber(control.fd, LOOP_CTL_GET_FREE, 0), 'ioctl LOOP_CTL_GET_FREE', file);
    const name = `loop${number}`;
    const device = openat2('/dev', name, { flags: O.RDWR });
    try {
      configure(device, backing, file);
      return owned(device, name);
    } catch (thrown) {
      device.close();
      if (left === 0 || !isErrno(thrown, 'EBUSY')) throw thrown;
    }
  }
}

function presentDevice(backing: Fd, file: string): LoopDevice | undefined {
  const own = fileNumbers(backing);
  for (const name of readdirSync('/sys/block')) {
    if (!name.startsWith('loop') || !isShown(name, basename(file))) continue;
    const device = openIfThere(name);
    // Held open from here on: it can't come to show another file.
    if (device && shownFile(device)?.equals(own)) return owned(device, name);
    device?.close();
  }
  return undefined;
}

/** By its last name alone, since other mount namespaces have other paths for it. */
function isShown(device: string, name: string): boolean {
  try {
    return basename(readFileSync(`/sys/block/${device}/loop/backing_file`, 'utf8').trim()) === name;
  } catch {
    // It shows none.
    return false;
  }
}

function openIfThere(name: string): Fd | undefined {
  try {
    return openat2('/dev', name, { flags: O.RDWR });
  } catch (thrown) {
    // It went just now; one that only reads shows it to somebody else.
    if (isErrno(thrown, 'ENOENT', 'ENXIO', 'EROFS', 'EACCES', 'EBUSY')) return undefined;
    throw thrown;
  }
}

/** Numbers of filesystem and inode, as the kernel tells of a loop device's file (new_encode_dev in linux/kdev_t.h). */
function fileNumbers(file: Fd): Buffer {
  const { devMajor, devMinor, ino } = fstatat(file, '');
  const numbers = Buffer.alloc(16);
  numbers.writeUInt32LE(((devMinor & 0xff) | (devMajor << 8) | ((devMinor & ~0xff) << 12)) >>> 0, 0);
  numbers.writeBigUInt64LE(ino, 8);
  return numbers;
}

function shownFile(device: Fd): Buffer | undefined {
  const info = Buffer.alloc(INFO_SIZE);
  return ioctl(device.fd, LOOP_GET_STATUS64, info) < 0 ? undefined : info.subarray(0, 16);
}

const owned = (device: Fd, name: string): LoopDevice => ({
  path: `/dev/${name}`,
  [Symbol.dispose]: () => device.close(),
});

function configure(device: Fd, backing: Fd, file: string): void {
  const config = Buffer.alloc(CONFIG_SIZE);
  config.writeUInt32LE(backing.fd, 0);
  config.writeUInt32LE(LO_FLAGS_AUTOCLEAR, FLAGS_AT);
  check(ioctl(device.fd, LOOP_CONFIGURE, config), 'ioctl LOOP_CONFIGURE', file);
}
