import type { Usage } from '../snapshot/types.ts';

/** A volume as recorded. `createdAt` in RFC 3339. */
export interface VolumeRecord {
  name: string;
  driver: 'local';
  options: Record<string, string>;
  labels: Record<string, string>;
  createdAt: string;
  /** Made without a name by an image's VOLUME or `-v /path`; only such are pruned by default and removed by `rm -v`. */
  anonymous: boolean;
}

/** Named directories that outlive containers (promise I7). Who uses a volume is known by the container records, not here. */
export interface VolumeStore {
  /** Makes it or returns the one of that name, whatever its options are, as Docker does. Errors: `invalid` name or options, `not-found` driver. */
  create(request: {
    name?: string;
    driver?: string;
    options?: Record<string, string>;
    labels?: Record<string, string>;
    anonymous?: boolean;
  }): Promise<{ volume: VolumeRecord; created: boolean }>;
  get(name: string): VolumeRecord | undefined;
  list(): VolumeRecord[];
  /** The directory that containers see, on the host. */
  mountpoint(name: string): string;
  /** Mounts a volume that has mount options (tmpfs, bind, nfs …) for one more user; returns the directory to bind. */
  acquire(name: string, userId: string): Promise<string>;
  /** Undoes `acquire`; unmounts with the last user. */
  release(name: string, userId: string): Promise<void>;
  /**
   * Keeps the volume of that name, which need not be there yet, from being removed until it is disposed of; mounts
   * nothing. For a container being made, which no record shows yet.
   */
  reserve(name: string, userId: string): Disposable;
  usage(name: string): Promise<Usage>;
  /** Errors: `not-found`; `conflict` while acquired or reserved. */
  remove(name: string): Promise<void>;
  /** Resolves when what earlier removals left behind is deleted; nobody need wait for it. */
  settled(): Promise<void>;
}
