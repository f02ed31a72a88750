import { execFile } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errnoCode, WharfError } from '../base/index.ts';

/** What the system can do about sizes. */
export interface QuotaOps {
  /**
   * Limits what lies below a directory, from now on, under that project's number; 0 bytes lift the limit. False where
   * the filesystem has no project quota.
   */
  limitProject(directory: string, projectId: number, bytes: number): boolean;
  /** Makes a filesystem in a file of that size. Errors: `unavailable` when the host has no mkfs.ext4; `exhausted`. */
  makeDisk(file: string, bytes: number): Promise<void>;
  /** Mounts such a file. */
  mountDisk(file: string, target: string): void;
}

const run = promisify(execFile);

/** Makes an ext4 in a file that takes its space as it is filled. Its root is root's, 0755. */
export async function makeDisk(file: string, bytes: number): Promise<void> {
  const fd = openSync(file, 'wx', 0o600);
  try {
    ftruncateSync(fd, bytes);
  } finally {
    closeSync(fd);
  }
  try {
    await run('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', 'lazy_itable_init=1,root_owner=0:0', file], {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
  } catch (thrown) {
    if (errnoCode(thrown) !== 'ENOENT') {
      const { stderr = '' } = thrown as { stderr?: string };
      throw new WharfError('internal', `mkfs.ext4: ${stderr.trim()}`, { cause: thrown });
    }
    const why = 'the filesystem has no project quota, and mkfs.ext4 (e2fsprogs) is not installed';
    throw new WharfError('unavailable', `quota size requested but no quota support: ${why}`, {
      cause: thrown,
    });
  }
}

/** A fresh ext4 is not empty, and only empty volumes get the image's files. */
export function dropLostAndFound(mountpoint: string): void {
  try {
    rmdirSync(join(mountpoint, 'lost+found'));
  } catch {
    // Gone since the first time, or it holds what a check of the disk found.
  }
}
