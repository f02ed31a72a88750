import { check, isErrno } from './errno.ts';
import { type Fd, O } from './fd.ts';
import { ioctl } from './ioctl.ts';
import { libcFunction } from './libc.ts';
import { openat2 } from './openat2.ts';

// linux/fs.h
const FS_IOC_FSGETXATTR = 0x801c581f;
const FS_IOC_FSSETXATTR = 0x401c5820;
const FS_XFLAG_PROJINHERIT = 0x200;
const FSXATTR_SIZE = 28;
const PROJECT_AT = 12;

// linux/quota.h, linux/dqblk_xfs.h
const SYS_quotactl_fd = 443;
const PRJQUOTA = 2;
const Q_SETQUOTA = 0x800008;
const Q_GETQUOTA = 0x800007;
const Q_XGETQSTAT = 0x5805;
const FS_QUOTA_PDQ_ENFD = 0x20;
const QIF_BLIMITS = 1;
const VALID_AT = 64;
const DQBLK_SIZE = 72;
/** The unit of block limits in `struct if_dqblk`. */
const QUOTA_BLOCK = 1024;

const quotactlCall = libcFunction<[number, number, number, number, Buffer], number>(
  'long syscall(long number, long fd, unsigned long command, unsigned long id, void *address)',
);

/**
 * Gives a folder, and whatever is made below it from now on, a project's number, and limits the bytes of that project; 0
 * bytes lift the limit. False where the filesystem keeps no limits of projects (mounted without `prjquota`).
 */
export function limitProject(directory: string, projectId: number, bytes: number): boolean {
  using fd = openat2('/', directory, { flags: O.RDONLY | O.DIRECTORY });
  if (!keepsProjectLimits(fd)) return false;
  const attributes = Buffer.alloc(FSXATTR_SIZE);
  check(ioctl(fd.fd, FS_IOC_FSGETXATTR, attributes), 'ioctl FS_IOC_FSGETXATTR', directory);
  attributes.writeUInt32LE((attributes.readUInt32LE(0) | FS_XFLAG_PROJINHERIT) >>> 0, 0);
  attributes.writeUInt32LE(projectId, PROJECT_AT);
  check(ioctl(fd.fd, FS_IOC_FSSETXATTR, attributes), 'ioctl FS_IOC_FSSETXATTR', directory);
  const limits = Buffer.alloc(DQBLK_SIZE);
  limits.writeBigUInt64LE(BigInt(Math.ceil(bytes / QUOTA_BLOCK)), 0);
  limits.writeUInt32LE(QIF_BLIMITS, VALID_AT);
  quotactl(fd, Q_SETQUOTA, projectId, limits, directory);
  return true;
}

/** What the project of a folder uses and may use, in bytes; undefined where the filesystem keeps no limits of projects. */
export function projectUsage(
  directory: string,
): { projectId: number; bytes: number; limit: number } | undefined {
  using fd = openat2('/', directory, { flags: O.RDONLY | O.DIRECTORY });
  if (!keepsProjectLimits(fd)) return undefined;
  const attributes = Buffer.alloc(FSXATTR_SIZE);
  check(ioctl(fd.fd, FS_IOC_FSGETXATTR, attributes), 'ioctl FS_IOC_FSGETXATTR', directory);
  const projectId = attributes.readUInt32LE(PROJECT_AT);
  const usage = Buffer.alloc(DQBLK_SIZE);
  quotactl(fd, Q_GETQUOTA, projectId, usage, directory);
  const limit = Number(usage.readBigUInt64LE(0)) * QUOTA_BLOCK;
  return { projectId, bytes: Number(usage.readBigUInt64LE(16)), limit };
}

/** A filesystem may count without keeping limits: only enforcement is of use. */
function keepsProjectLimits(fd: Fd): boolean {
  const state = Buffer.alloc(96);
  try {
    quotactl(fd, Q_XGETQSTAT, 0, state, 'the state of quotas');
  } catch (thrown) {
    if (isErrno(thrown, 'ENOSYS', 'ESRCH', 'EINVAL', 'ENOTSUP', 'EPERM', 'ENOTBLK', 'ENODEV')) return false;
    throw thrown;
  }
  return (state.readUInt16LE(2) & FS_QUOTA_PDQ_ENFD) !== 0;
}

function quotactl(fd: Fd, command: number, id: number, address: Buffer, subject: string): void {
  const typed = command * 256 + PRJQUOTA;
  check(quotactlCall(SYS_quotactl_fd, fd.fd, typed, id, address), 'quotactl_fd', subject);
}
