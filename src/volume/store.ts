import { KeyedLock, type Logger, newId, rfc3339Nano, systemClock, WharfError } from '../base/index.ts';
import type { Collection, Database } from '../meta/types.ts';
import type { Usage } from '../snapshot/types.ts';
import type { VolumeDriver } from './driver.ts';
import type { LocalDriver } from './local-driver.ts';
import { checkDriverOptions } from './mount-options.ts';
import { checkVolumeName } from './names.ts';
import type { Plugins } from './plugin/index.ts';
import type { VolumeDetail, VolumeQuota, VolumeRecord, VolumeStore } from './types.ts';
import { parseVolumeSize } from './volume-size.ts';

export interface RecordedVolumesOptions {
  local: LocalDriver;
  plugins: Plugins;
  database: Database;
  log: Logger;
}

/** Docker's mark for volumes without a name of their own. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';

/** Numbers of projects begin here: low ones are the administrator's. */
const FIRST_PROJECT = 0x5748_0000;

/** The volumes of all drivers, recorded in the collection `volumes`. */
export class RecordedVolumes implements VolumeStore {
  private readonly records: Collection<VolumeRecord>;
  private readonly cache = new Map<string, VolumeRecord>();
  private readonly users = new Map<string, Set<string>>();
  /** Holds by volume; one user may hold a volume several times. */
  private readonly reservations = new Map<string, Set<{ userId: string }>>();
  private readonly locks = new KeyedLock();
  private readonly options: RecordedVolumesOptions;
  private lastProject = FIRST_PROJECT;
  /** Never rejects. */
  private readonly recovered: Promise<void>;

  constructor(options: RecordedVolumesOptions) {
    this.options = options;
    this.records = options.database.collection<VolumeRecord>({
      name: 'volumes',
      key: (volume) => volume.name,
    });
    for (const volume of this.records.all()) {
      this.cache.set(volume.name, volume);
      if (volume.quota?.method === 'project')
        this.lastProject = Math.max(this.lastProject, volume.quota.projectId);
    }
    this.recovered = options.local.recover(this.list(), (volume) => this.forget(volume));
  }

  async create(
    request: Parameters<VolumeStore['create']>[0],
  ): Promise<{ volume: VolumeRecord; created: boolean }> {
    const name = request.name || newId();
    const driver = request.driver || 'local';
    if (driver === 'local') checkVolumeName(name);
    return this.locks.with(name, async () => {
      const existing = this.cache.get(name);
      // Docker answers with the volume of that name whatever its options are.
      if (existing?.driver === driver) return { volume: existing, created: false };
      if (existing) {
        const why = `driver '${existing.driver}' already has volume '${name}': volume name must be unique`;
        throw new WharfError('conflict', `create ${name}: ${why}`);
      }
      const options = { ...request.options };
      if (driver === 'local') checkDriverOptions(name, options);
      const anonymous = request.anonymous ?? !request.name;
      const volume: VolumeRecord = {
        name,
        driver,
        options,
        labels: { ...request.labels, ...(anonymous ? { [ANONYMOUS_LABEL]: '' } : {}) },
        createdAt: rfc3339Nano((systemClock.nowNanos() / 1_000_000_000n) * 1_000_000_000n),
        anonymous,
        ...(driver === 'local' && options['size'] ? { quota: this.quota(name, options['size']) } : {}),
      };
      await this.make(volume);
      return { volume, created: true };
    });
  }

  get(name: string): VolumeRecord | undefined {
    return this.cache.get(name);
  }

  list(): VolumeRecord[] {
    return [...this.cache.values()];
  }

  async find(name: string): Promise<VolumeDetail | undefined> {
    const volume = this.cache.get(name);
    return volume
      ? this.driver(volume.driver, `get ${name}`).detail(volume)
      : this.options.plugins.find(name);
  }

  async listed(): Promise<{ volumes: VolumeDetail[]; warnings: string[] }> {
    const recorded = this.list();
    const local = recorded.filter(({ driver }) => driver === 'local');
    const volumes = await Promise.all(local.map((volume) => this.options.local.detail(volume)));
    const remote = await this.options.plugins.list(recorded);
    return { volumes: [...volumes, ...remote.volumes], warnings: remote.warnings };
  }

  drivers(): string[] {
    return ['local', ...this.options.plugins.names()];
  }

  mountpoint(name: string): string {
    const volume = this.cache.get(name);
    return volume
      ? this.driver(volume.driver, `get ${name}`).mountpoint(volume)
      : this.options.local.mountpoint({ name });
  }

  underway(): string[] {
    return this.options.local.underway();
  }

  async acquire(name: string, userId: string, options: { adopted?: boolean } = {}): Promise<string> {
    return this.locks.with(name, async () => {
      const volume = this.require(name);
      const driver = this.driver(volume.driver, `mount ${name}`);
      const users = this.users.get(name) ?? new Set<string>();
      const mountpoint =
        users.has(userId) || options.adopted
          ? driver.mountpoint(volume)
          : await driver.acquire(volume, userId, users.size === 0);
      users.add(userId);
      this.users.set(name, users);
      return mountpoint;
    });
  }

  async release(name: string, userId: string): Promise<void> {
    await this.locks.with(name, async () => {
      const users = this.users.get(name);
      if (!users?.delete(userId)) return;
      if (users.size === 0) this.users.delete(name);
      const volume = this.cache.get(name);
      if (volume)
        await this.driver(volume.driver, `unmount ${name}`).release(volume, userId, users.size === 0);
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
    const volume = this.require(name);
    return this.driver(volume.driver, `get ${name}`).usage(volume);
  }

  async remove(name: string, options: { force?: boolean } = {}): Promise<void> {
    await this.locks.with(name, async () => {
      const volume = this.cache.get(name) ?? (await this.options.plugins.find(name))?.volume;
      if (!volume) throw missing(name);
      const holds = [...(this.reservations.get(name) ?? [])].map((hold) => hold.userId);
      const users = new Set([...(this.users.get(name) ?? []), ...holds]);
      if (users.size > 0) {
        throw new WharfError('conflict', `remove ${name}: volume is in use - [${[...users].join(', ')}]`);
      }
      const { plugins } = this.options;
      if (options.force && volume.driver !== 'local' && !plugins.has(volume.driver))
        return this.forget(volume);
      await this.driver(volume.driver, `remove ${name}`).remove(volume, () => this.forget(volume));
    });
  }

  settled(): Promise<void> {
    return this.recovered;
  }

  private async make(volume: VolumeRecord): Promise<void> {
    const driver = this.driver(volume.driver, `create ${volume.name}`);
    try {
      await driver.create(volume, () => {
        this.records.put(volume);
        this.cache.set(volume.name, volume);
      });
    } catch (thrown) {
      if (this.cache.has(volume.name)) this.forget(volume);
      throw thrown;
    }
  }

  private forget(volume: VolumeRecord): void {
    this.records.delete(volume.name);
    this.cache.delete(volume.name);
  }

  private driver(name: string, what: string): VolumeDriver {
    return name === 'local' ? this.options.local : this.options.plugins.driver(name, what);
  }

  /** The filesystem's own quota, with a number that no other volume has, until the driver finds that there is none. */
  private quota(name: string, size: string): VolumeQuota {
    const bytes = parseVolumeSize(name, size);
    this.lastProject += 1;
    return { method: 'project', projectId: this.lastProject, bytes };
  }

  private require(name: string): VolumeRecord {
    const volume = this.cache.get(name);
    if (!volume) throw missing(name);
    return volume;
  }
}

function missing(name: string): WharfError {
  return new WharfError('not-found', `get ${name}: no such volume`);
}
