import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Logger, newId, WharfError } from '../base/index.ts';
import type { Usage } from '../snapshot/types.ts';
import { deleteTree, diskUsage } from '../sys/index.ts';
import type { VolumeDriver } from './driver.ts';
import {
  mountFailure,
  type ResolveHost,
  resolveAddresses,
  type VolumeMount,
  volumeMount,
} from './mount-options.ts';
import { dropLostAndFound, type QuotaOps } from './quota.ts';
import type { VolumeDetail, VolumeRecord } from './types.ts';

/** How volumes with mount options are mounted; the system's own calls unless a test brings others. */
export interface VolumeMounter {
  mount(mount: VolumeMount, target: string): void | Promise<void>;
  unmount(target: string): void;
  /** All mount points of the host: a daemon before this one, or somebody else, made some of them. */
  mounts(): string[];
}

export interface LocalDriverOptions {
  /** Directory of all volumes; each has `<name>/_data` below it. */
  root: string;
  log: Logger;
  mounter: VolumeMounter;
  quota: QuotaOps;
  resolve: ResolveHost;
}

/** Directory below the root for volumes being made, and how those being deleted begin; no volume's name starts with a dot. */
const MAKING = '.making';
const REMOVED = '.removed-';
const MAX_NAME_BYTES = 255;
/** The file of a volume that is a filesystem of its own. */
const DISK = 'disk.ext4';

/** Directories below one root. What a crash cut off is finished or dropped by `recover`. */
export class LocalDriver implements VolumeDriver {
  readonly name = 'local';
  private readonly options: LocalDriverOptions;
  private readonly passing = new Set<string>();
  private creates = 0;

  constructor(options: LocalDriverOptions) {
    this.options = options;
    // Others may pass through (containers' users reach their files by path), nobody may list.
    mkdirSync(options.root, { recursive: true, mode: 0o701 });
  }

  /**
   * Finishes what was cut off: directories of recorded volumes get their place, others are dropped, and removals that
   * were begun are `forgotten`. Resolves when nothing of it is left; a large volume takes minutes, and nobody asks for it.
   */
  recover(records: readonly VolumeRecord[], forget: (volume: VolumeRecord) => void): Promise<void> {
    const lost = records.filter(
      (volume) => volume.driver === this.name && !existsSync(this.directory(volume)),
    );
    const { root } = this.options;
    const removed = readdirSync(root).filter((name) => name.startsWith(REMOVED));
    for (const volume of lost) {
      const made = join(root, MAKING, volume.name);
      if (existsSync(made)) renameSync(made, this.directory(volume));
      else if (removed.some((trash) => trash.slice(REMOVED.length + 13) === volume.name)) forget(volume);
    }
    for (const { quota, ...volume } of records)
      if (quota?.method === 'project' && existsSync(this.mountpoint(volume))) this.limit(volume, quota);
    // Out of the way of the volumes that are made from now on.
    if (existsSync(join(root, MAKING))) {
      removed.push(trashName('making'));
      renameSync(join(root, MAKING), join(root, removed.at(-1) as string));
    }
    return this.empty(removed.map((name) => join(root, name)));
  }

  async create(volume: VolumeRecord, record: () => void): Promise<void> {
    const directory = this.directory(volume);
    // Files that lie there already are somebody's, whatever fails (promise I7).
    if (existsSync(directory)) {
      this.fill(directory);
      return record();
    }
    const making = join(this.options.root, MAKING);
    const made = join(making, volume.name);
    this.creates++;
    try {
      mkdirSync(making, { recursive: true, mode: 0o700 });
      rmSync(made, { recursive: true, force: true });
      mkdirSync(made, { mode: 0o701 });
      this.fill(made);
      await this.keepSize(volume, made);
      await onDisk(join(made, '_data'));
      record();
      // A crash between these two is finished by `recover`.
      renameSync(made, directory);
    } catch (thrown) {
      rmSync(made, { recursive: true, force: true });
      throw WharfError.from(thrown);
    } finally {
      removeEmpty(making);
      this.creates--;
    }
  }

  async remove(volume: VolumeRecord, forget: () => void): Promise<void> {
    const target = this.mountpoint(volume);
    const points = this.options.mounter.mounts();
    // Deleting below a mount that was left behind would delete what is mounted, not the volume (promise I7).
    if (mounts(volume) && points.includes(target)) this.options.mounter.unmount(target);
    const foreign = points.find(
      (point) => point.startsWith(`${target}/`) || (point === target && !mounts(volume)),
    );
    if (foreign !== undefined) {
      throw new WharfError(
        'conflict',
        `remove ${volume.name}: something is mounted on ${foreign}: unmount it first`,
      );
    }
    const directory = this.directory(volume);
    // Moved away before the record goes, so that no crash leaves files, whole or half, under a name that can be asked for
    // again; `recover` forgets the record of what lies there.
    const trash = join(this.options.root, trashName(volume.name));
    using _ = this.pass(volume.name, basename(trash));
    const moved = existsSync(directory);
    if (moved) renameSync(directory, trash);
    try {
      if (moved) await onDisk(this.options.root);
      forget();
    } catch (thrown) {
      if (moved) renameSync(trash, directory);
      throw thrown;
    }
    if (volume.quota?.method === 'project') this.lift(join(trash, '_data'), volume.quota.projectId);
    await deleteTree(trash);
  }

  /** Names below the root that are being made or deleted right now: what lies there need not agree with the records. */
  underway(): string[] {
    return [...this.passing, ...(this.creates > 0 ? [MAKING] : [])];
  }

  mountpoint(volume: Pick<VolumeRecord, 'name'>): string {
    return join(this.directory(volume), '_data');
  }

  async acquire(volume: VolumeRecord, _userId: string, first: boolean): Promise<string> {
    const target = this.mountpoint(volume);
    if (!first || !mounts(volume) || this.options.mounter.mounts().includes(target)) return target;
    try {
      const wanted = volumeMount(volume.options);
      if (wanted) await this.mountOn(wanted, target);
      else this.mountDisk(volume, target);
    } catch (thrown) {
      const reason = WharfError.from(thrown);
      throw new WharfError(reason.kind, `error while mounting volume '${target}': ${reason.message}`, {
        cause: { volume: volume.name, thrown },
      });
    }
    return target;
  }

  async release(volume: VolumeRecord, _userId: string, last: boolean): Promise<void> {
    if (last && mounts(volume)) this.options.mounter.unmount(this.mountpoint(volume));
  }

  async detail(volume: VolumeRecord): Promise<VolumeDetail> {
    return { volume, mountpoint: this.mountpoint(volume), scope: 'local' };
  }

  async usage(volume: VolumeRecord): Promise<Usage> {
    if (volumeMount(volume.options)) return { bytes: 0, inodes: 0 };
    // With its own directories, and with the file of a disk, as du(1): so much comes free with the volume.
    return diskUsage(this.directory(volume));
  }

  private directory(volume: Pick<VolumeRecord, 'name'>): string {
    return join(this.options.root, volume.name);
  }

  private fill(directory: string): void {
    mkdirSync(join(directory, '_data'), { recursive: true });
    // Once more, since the daemon's umask has cut what mkdir was given.
    chmodSync(directory, 0o701);
    chmodSync(join(directory, '_data'), 0o755);
  }

  /** Decides how the size is kept, and notes that in the volume, which is not recorded yet. */
  private async keepSize(volume: VolumeRecord, made: string): Promise<void> {
    const { quota } = volume;
    if (!quota) return;
    if (quota.method === 'project') {
      if (this.options.quota.limitProject(join(made, '_data'), quota.projectId, quota.bytes)) return;
      volume.quota = { method: 'disk', bytes: quota.bytes };
    }
    try {
      await this.options.quota.makeDisk(join(made, DISK), quota.bytes);
    } catch (thrown) {
      const reason = WharfError.from(thrown);
      throw new WharfError(reason.kind, `create ${volume.name}: ${reason.message}`, { cause: thrown });
    }
  }

  /** Sets a limit again: filesystems forget those that were set just before a power cut. */
  private limit(volume: Pick<VolumeRecord, 'name'>, quota: { projectId: number; bytes: number }): void {
    try {
      if (this.options.quota.limitProject(this.mountpoint(volume), quota.projectId, quota.bytes)) return;
      this.options.log.warn('the size of a volume is not kept: its filesystem is mounted without prjquota', {
        volume: volume.name,
      });
    } catch (thrown) {
      this.options.log.warn('the size of a volume is not kept', { volume: volume.name, error: thrown });
    }
  }

  private lift(directory: string, projectId: number): void {
    try {
      this.options.quota.limitProject(directory, projectId, 0);
    } catch (thrown) {
      this.options.log.warn('the limit of a removed volume stays', { projectId, error: thrown });
    }
  }

  private async mountOn(wanted: VolumeMount, target: string): Promise<void> {
    const mount = await resolveAddresses(wanted, this.options.resolve);
    try {
      await this.options.mounter.mount(mount, target);
    } catch (thrown) {
      throw mountFailure(mount, target, thrown);
    }
  }

  private mountDisk(volume: VolumeRecord, target: string): void {
    this.options.quota.mountDisk(join(this.directory(volume), DISK), target);
    dropLostAndFound(target);
  }

  private pass(...names: string[]): Disposable {
    for (const name of names) this.passing.add(name);
    return {
      [Symbol.dispose]: () => {
        for (const name of names) this.passing.delete(name);
      },
    };
  }

  private async empty(directories: string[]): Promise<void> {
    using _ = this.pass(...directories.map((directory) => basename(directory)));
    for (const directory of directories) {
      // The start of the daemon goes first.
      await setImmediate();
      try {
        await deleteTree(directory);
      } catch (thrown) {
        this.options.log.warn('files of a removed volume stay', { directory, error: thrown });
      }
    }
  }
}

/** Made by a rename alone: removing works on a full disk. A long name leaves no room for itself, and only its files are found. */
function trashName(name: string): string {
  const start = `${REMOVED}${newId().slice(0, 12)}`;
  return start.length + 1 + name.length > MAX_NAME_BYTES ? start : `${start}-${name}`;
}

/** Whether it is mounted at all, by options or as a disk. */
function mounts(volume: VolumeRecord): boolean {
  return volumeMount(volume.options) !== undefined || volume.quota?.method === 'disk';
}

/**
 * What was made or moved there is on the disk, before the record says so: after a power cut the two must agree. The database's
 * own sync does not see to it, once its log is written over in place.
 */
async function onDisk(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Another volume is being made or removed, or it was never there.
  }
}
