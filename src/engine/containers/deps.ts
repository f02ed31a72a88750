import type { ContainerConfig, HostConfig } from '../../api/index.ts';
import type { Clock, Logger } from '../../base/index.ts';
import type { NetworkStack } from '../../network/types.ts';
import type { ImageConfigFile, Platform } from '../../oci/types.ts';
import type { HostFacts } from '../../runtime/index.ts';
import type { Snapshotter } from '../../snapshot/types.ts';
import type { VolumeStore } from '../../volume/index.ts';
import type { EventBus } from '../events/types.ts';
import type { ContainerStore } from './store.ts';

/** An image as creating a container needs it. */
export interface ResolvedImage {
  /** The image's id, `sha256:…`. */
  imageId: string;
  /** chainID of its last layer; empty for an image without layers. */
  chainId: string;
  config: ImageConfigFile;
  /** Platform of the chosen variant. */
  platform: Platform;
}

/** Finds images by name (tag `latest` if none), digest, id or unique id prefix. */
export interface ImageLookup {
  /**
   * Undefined when there is no such image. When it has no variant for `platform`, the variant it has is returned, and
   * the caller compares. Errors: `invalid` for a reference that can't be one.
   */
  resolve(ref: string, platform?: Platform): ResolvedImage | undefined;
  /** Makes the layers of an image that are still packed. Errors: `exhausted`, `not-found` for an image that went meanwhile. */
  unpack?(imageId: string): Promise<void>;
}

/** What requests are checked against; part of `hostFacts()`. */
export type HostAbilities = Pick<HostFacts, 'cpus' | 'cgroup' | 'thermalCpus'>;

/** What the daemon's configuration says where a request is silent. */
export interface ContainerDefaults {
  /** Names that `--runtime` may have, and the one taken without it. */
  runtimes: ReadonlySet<string>;
  runtime: string;
  logDriver: string;
  logOpts: Record<string, string>;
  /** `default-cgroupns-mode`; without it `private` on cgroup v2 and `host` on v1. */
  cgroupnsMode?: 'private' | 'host';
  /** `default-shm-size` in bytes; 64 MiB without it. */
  shmSize?: number;
  /** `default-ipc-mode`; `private` without it. */
  ipcMode?: 'private' | 'shareable';
}

export interface CreateDeps {
  store: ContainerStore;
  images: ImageLookup;
  snapshotter: Snapshotter;
  volumes: VolumeStore;
  networks: Pick<NetworkStack, 'get'>;
  events: EventBus;
  clock: Clock;
  log: Logger;
  host: HostAbilities;
  defaults: ContainerDefaults;
  /** Absolute path; container directories are `containers/<id>` below it. */
  dataRoot: string;
  /** Further checks of what the runtime layer must keep (capabilities, devices, security options); returns warnings. */
  check?(config: ContainerConfig, hostConfig: HostConfig): string[];
}
