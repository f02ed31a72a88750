import { check, isErrno } from './errno.ts';
import { O } from './fd.ts';
import { ioctl } from './ioctl.ts';
import { openat2 } from './openat2.ts';

// ioctl_iflags(2), for 64-bit kernels.
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_TOPDIR_FL = 0x00020000;

/**
 * Tells the filesystem that the directories right below this one have nothing to do with each other (chattr(1), "T"): ext4
 * then gives each a region of the disk of its own. False where the filesystem has no such flag.
 */
export function spreadBelow(directory: string): boolean {
  using fd = openat2(directory, '.', { flags: O.RDONLY | O.DIRECTORY });
  const flags = Buffer.alloc(8);
  try {
    check(ioctl(fd.fd, FS_IOC_GETFLAGS, flags), 'ioctl FS_IOC_GETFLAGS', directory);
    flags.writeUInt32LE(flags.readUInt32LE() | FS_TOPDIR_FL);
    check(ioctl(fd.fd, FS_IOC_SETFLAGS, flags), 'ioctl FS_IOC_SETFLAGS', directory);
    return true;
  } catch (thrown) {
    if (isErrno(thrown, 'ENOTTY', 'ENOTSUP', 'EINVAL', 'EPERM')) return false;
    throw thrown;
  }
}
