import { check } from './errno.ts';
import { O } from './fd.ts';
import { ioctl } from './ioctl.ts';
import { openat2 } from './openat2.ts';

/** EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN are one number. */
const FS_IOC_SHUTDOWN = 0x8004587d;
const HOW = { full: 0, 'log-flush': 1, 'no-log-flush': 2 } as const;

/**
 * Stops a filesystem (ext4, xfs) as the loss of power would: nothing is written any more, every call on it fails with EIO
 * until it is mounted anew. `no-log-flush` loses what the journal holds in memory, too.
 */
export function shutDownFilesystem(directory: string, how: keyof typeof HOW): void {
  using fd = openat2('/', directory, { flags: O.RDONLY | O.DIRECTORY });
  const argument = Buffer.alloc(4);
  argument.writeUInt32LE(HOW[how]);
  check(ioctl(fd.fd, FS_IOC_SHUTDOWN, argument), 'ioctl FS_IOC_SHUTDOWN', directory);
}
