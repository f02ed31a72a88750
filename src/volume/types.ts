import type { Usage } from '../snapshot/types.ts';

/** How the size of a local volume is kept: by the filesystem that it lies on, or as a filesystem in a file of that size. */
export type VolumeQuota = { bytes: number } & ({ method: 'project'; projectId: number } | { method: 'disk' });

/** A volume as recorded. `createdAt` in RFC 3339. */
export interface VolumeRecord {
  name: string;
  /** `local`, or the name of a volume plugin. */
  driver: string;
  options: Record<string, string>;
  labels: Record<string, string>;
  createdAt: string;
  /** Made without a name by an image's VOLUME or `-v /path`; only such are pruned by default and removed by `rm -v`. */
  anonymous: boolean;
  /** Of local volumes with the option `size`. */
  quota?: VolumeQuota;
}

/** A volume with what its driver says of it now. */
export interface VolumeDetail {
  volume: VolumeRecord;
  /** Empty where a plugin does not say. */
  mountpoint: string;
  scope: 'local' | 'global';
  /** The plugin's own words; of a plugin that does not answer, why. */
  status?: Record<string, unknown>;
}

/** Named directories that outlive containers (promise I7). Who uses a volume is known by the container records, not here. */
export interface VolumeStore {
  /**
   * Makes it or returns the one of that name, whatever its options are, as Docker does. Errors: `invalid` name or options,
   * `not-found` driver, `conflict` when another driver has that name; `internal` with the plugin's words.
   */
  create(request: {
    name?: string;
    driver?: string;
    options?: Record<string, string>;
    labels?: Record<string, string>;
    anonymous?: boolean;
  }): Promise<{ volume: VolumeRecord; created: boolean }>;
  get(name: string): VolumeRecord | undefined;
  list(): VolumeRecord[];
  /** The volume as its driver knows it, one of a plugin's own among them. A plugin that is away makes no error. */
  find(name: string): Promise<VolumeDetail | undefined>;
  /** All volumes, with those that plugins have on their own; `warnings` name plugins that did not answer. */
  listed(): Promise<{ volumes: VolumeDetail[]; warnings: string[] }>;
  /** Names of the drivers in use: `local`, then plugins. */
  drivers(): string[];
  /** The directory that containers see, on the host; empty for a plugin's volume that nobody has mounted. */
  mountpoint(name: string): string;
  /** Names below the root of the local volumes that are being made or deleted at this moment: records and files may differ. */
  underway(): string[];
  /**
   * Mounts a volume that has mount options (tmpfs, bind, nfs …), a disk of its own or a plugin, for one more user; returns
   * the directory to bind. With `adopted`, for a user that has it mounted since before this daemon: nothing is mounted.
   */
  acquire(name: string, userId: string, options?: { adopted?: boolean }): Promise<string>;
  /** Undoes `acquire`; unmounts with the last user. */
  release(name: string, userId: string): Promise<void>;
  /**
   * Keeps the volume of that name, which need not be there yet, from being removed until it is disposed of; mounts
   * nothing. For a container being made, which no record shows yet.
   */
  reserve(name: string, userId: string): Disposable;
  /** What the volume takes of this data root's disk: nothing when its files lie elsewhere (mount options, plugins). */
  usage(name: string): Promise<Usage>;
  /** Errors: `not-found`; `conflict` while acquired or reserved, or when something is mounted below it. `force` also forgets the volume of a plugin that is gone. */
  remove(name: string, options?: { force?: boolean }): Promise<void>;
  /** Resolves when what earlier removals left behind is deleted; nobody need wait for it. */
  settled(): Promise<void>;
}
