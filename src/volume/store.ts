import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyedLock, type Logger, newId, rfc3339Nano, systemClock, WharfError } from '../base/index.ts';
import type { Collection, Database } from '../meta/types.ts';
import type { Usage } from '../snapshot/types.ts';
import { directoryUsage } from './directory-usage.ts';
import { checkDriverOptions, type VolumeMount, volumeMount } from './mount-options.ts';
import { checkVolumeName } from './names.ts';
import type { VolumeRecord, VolumeStore } from './types.ts';

/** How volumes with mount options are mounted; the system's own calls unless a test brings others. */
export interface VolumeMounter {
  mount(mount: VolumeMount, target: string): void;
  unmount(target: string): void;
  /** True when something is mounted on `target` already (a daemon before this one did it). */
  mounted(target: string): boolean;
}

export interface VolumeStoreOptions {
  /** Directory of all volumes; each has `<name>/_data` below it. */
  root: string;
  database: Database;
  log: Logger;
  mounter: VolumeMounter;
}

/** Docker's mark for volumes without a name of their own. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';

/** Start of the names of directories being deleted; no volume's name starts with a dot. */
const TRASH = '.removed-';

/** The local volume driver: directories below one root, recorded in the collection `volumes`. */
export class LocalVolumeStore implements VolumeStore {
  private readonly records: Collection<VolumeRecord>;
  private readonly cache = new Map<string, VolumeRecord>();
  private readonly users = new Map<string, Set<string>>();
  /** Holds by volume; one user may hold a volume several times. */
  private readonly reservations = new Map<string, Set<{ userId: string }>>();
  private readonly locks = new KeyedLock();
  private readonly options: VolumeStoreOptions;
  /** Never rejects. */
  private readonly emptying: Promise<void>;

  constructor(options: VolumeStoreOptions) {
    this.options = options;
    // Others may pass through (containers' users reach their files by path), nobody may list.
    mkdirSync(options.root, { recursive: true, mode: 0o701 });
    this.records = options.database.collection<VolumeRecord>({
      name: 'volumes',
      key: (volume) => volume.name,
    });
    this.emptying = this.emptyTrash(readdirSync(options.root).filter((name) => name.startsWith(TRASH)));
    for (const volume of this.records.all()) this.cache.set(volume.name, volume);
  }

  async create(
    request: Parameters<VolumeStore['create']>[0],
  ): Promise<{ volume: VolumeRecord; created: boolean }> {
    const name = request.name || newId();
    checkVolumeName(name);
    const driver = request.driver || 'local';
    if (driver !== 'local') {
      throw new WharfError(
        'not-found',
        `create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`,
      );
    }
    return this.locks.with(name, async () => {
      const existing = this.cache.get(name);
      // Docker answers with the volume of that name whatever its options are.
      if (existing) return { volume: existing, created: false };
      checkDriverOptions(name, request.options ?? {});
      const anonymous = request.anonymous ?? !request.name;
      const volume: VolumeRecord = {
        name,
        driver: 'local',
        options: { ...request.options },
        labels: { ...request.labels, ...(anonymous ? { [ANONYMOUS_LABEL]: '' } : {}) },
        createdAt: rfc3339Nano((systemClock.nowNanos() / 1_000_000_000n) * 1_000_000_000n),
        anonymous,
      };
      this.makeDirectory(volume);
      return { volume, created: true };
    });
  }

  get(name: string): VolumeRecord | undefined {
    return this.cache.get(name);
  }

  list(): VolumeRecord[] {
    return [...this.cache.values()];
  }

  mountpoint(name: string): string {
    return join(this.directory(name), '_data');
  }

  async acquire(name: string, userId: string): Promise<string> {
    return this.locks.with(name, async () => {
      const volume = this.require(name);
      const target = this.mountpoint(name);
      const mount = volumeMount(volume.options);
      const users = this.users.get(name) ?? new Set<string>();
      if (mount && users.size === 0 && !this.options.mounter.mounted(target))
        this.mountOn(volume, mount, target);
      users.add(userId);
      this.users.set(name, users);
      return target;
    });
  }

  async release(name: string, userId: string): Promise<void> {
    await this.locks.with(name, async () => {
      const users = this.users.get(name);
      if (!users?.delete(userId) || users.size > 0) return;
      this.users.delete(name);
      const volume = this.cache.get(name);
      if (volume && volumeMount(volume.options)) this.options.mounter.unmount(this.mountpoint(name));
    });
  }

  reserve(name: string, userId: string): Disposable {
    const hold = { userId };
    const holds = this.reservations.get(name) ?? new Set();
    this.reservations.set(name, holds.add(hold));
    return {
      [Symbol.dispose]: () => {
        holds.delete(hold);
        if (holds.size === 0 && this.reservations.get(name) === holds) this.reservations.delete(name);
      },
    };
  }

  async usage(name: string): Promise<Usage> {
    this.require(name);
    return directoryUsage(this.mountpoint(name));
  }

  async remove(name: string): Promise<void> {
    await this.locks.with(name, async () => {
      const volume = this.require(name);
      const holds = [...(this.reservations.get(name) ?? [])].map((hold) => hold.userId);
      const users = new Set([...(this.users.get(name) ?? []), ...holds]);
      if (users.size > 0) {
        throw new WharfError('conflict', `remove ${name}: volume is in use - [${[...users].join(', ')}]`);
      }
      const target = this.mountpoint(name);
      // Deleting below a mount that was left behind would delete what is mounted, not the volume (promise I7).
      if (volumeMount(volume.options) && this.options.mounter.mounted(target))
        this.options.mounter.unmount(target);
      // Moved away before the record goes, so that no crash leaves files, whole or half, under a name that can be asked for
      // again; the record alone is removed by the same request made anew.
      const trash = join(this.options.root, `${TRASH}${newId()}`);
      const moved = existsSync(this.directory(name));
      if (moved) renameSync(this.directory(name), trash);
      try {
        this.records.delete(name);
      } catch (thrown) {
        if (moved) renameSync(trash, this.directory(name));
        throw thrown;
      }
      this.cache.delete(name);
      await rm(trash, { recursive: true, force: true });
    });
  }

  settled(): Promise<void> {
    return this.emptying;
  }

  /** Deletes what removals that were cut off left; a large volume takes minutes, and nothing asks for it any more. */
  private async emptyTrash(names: string[]): Promise<void> {
    for (const name of names) {
      try {
        await rm(join(this.options.root, name), { recursive: true, force: true });
      } catch (thrown) {
        this.options.log.warn('files of a removed volume stay', { directory: name, error: thrown });
      }
    }
  }

  private directory(name: string): string {
    return join(this.options.root, name);
  }

  private require(name: string): VolumeRecord {
    const volume = this.cache.get(name);
    if (!volume) throw new WharfError('not-found', `get ${name}: no such volume`);
    return volume;
  }

  private makeDirectory(volume: VolumeRecord): void {
    const directory = this.directory(volume.name);
    // Set when there was none before: files that lie there already are somebody's, whatever fails (promise I7).
    let made: string | undefined;
    try {
      made = mkdirSync(directory, { recursive: true, mode: 0o701 });
      mkdirSync(join(directory, '_data'), { recursive: true });
      // Once more, since the daemon's umask has cut what mkdir was given.
      chmodSync(directory, 0o701);
      chmodSync(join(directory, '_data'), 0o755);
      this.records.put(volume);
    } catch (thrown) {
      if (made !== undefined) rmSync(directory, { recursive: true, force: true });
      throw WharfError.from(thrown);
    }
    this.cache.set(volume.name, volume);
  }

  private mountOn(volume: VolumeRecord, mount: VolumeMount, target: string): void {
    try {
      this.options.mounter.mount(mount, target);
    } catch (thrown) {
      const words = `failed to mount local volume: mount ${mount.source}:${target}, data: ${mount.data}`;
      const reason = WharfError.from(thrown);
      throw new WharfError(
        reason.kind,
        `error while mounting volume '${target}': ${words}: ${reason.message}`,
        {
          cause: { volume: volume.name, thrown },
        },
      );
    }
  }
}
