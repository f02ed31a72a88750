import { check, isErrno } from './errno.ts';
import { type Fd, O } from './fd.ts';
import { ioctl, ioctlNumber } from './ioctl.ts';
import { openat2 } from './openat2.ts';

// linux/loop.h
const LOOP_CONFIGURE = 0x4c0a;
const LOOP_CTL_GET_FREE = 0x4c82;
const LO_FLAGS_AUTOCLEAR = 4;
const CONFIG_SIZE = 304;
/** Of `struct loop_config`: a descriptor and a block size before `struct loop_info64`, whose flags are at 52. */
const FLAGS_AT = 8 + 52;
/** Others may take the device that was free; each try asks for another one. */
const MAX_TRIES = 64;

/** A block device that shows a file. It goes when nothing uses it any more: this, a mount, another open descriptor. */
export interface LoopDevice extends Disposable {
  /** As in /dev. */
  path: string;
}

/** Makes a file a block device. Errors: those of open(2); EBUSY when others took every device that was free. */
export function attachLoop(file: string): LoopDevice {
  using backing = openat2('/', file, { flags: O.RDWR });
  using control = openat2('/dev', 'loop-control', { flags: O.RDWR });
  for (let left = MAX_TRIES; ; left -= 1) {
    const number = check(ioctlNumber(control.fd, LOOP_CTL_GET_FREE, 0), 'ioctl LOOP_CTL_GET_FREE', file);
    const name = `loop${number}`;
    const device = openat2('/dev', name, { flags: O.RDWR });
    try {
      configure(device, backing, file);
      return { path: `/dev/${name}`, [Symbol.dispose]: () => device.close() };
    } catch (thrown) {
      device.close();
      if (left === 0 || !isErrno(thrown, 'EBUSY')) throw thrown;
    }
  }
}

function configure(device: Fd, backing: Fd, file: string): void {
  const config = Buffer.alloc(CONFIG_SIZE);
  config.writeUInt32LE(backing.fd, 0);
  config.writeUInt32LE(LO_FLAGS_AUTOCLEAR, FLAGS_AT);
  check(ioctl(device.fd, LOOP_CONFIGURE, config), 'ioctl LOOP_CONFIGURE', file);
}
