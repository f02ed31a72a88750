import type { ContainerConfig, Health, HostConfig, MountPoint, NetworkingConfig } from '../../api/index.ts';

/** The lifecycle, as `State.Status` shows it. */
export type ContainerStatus =
  | 'created'
  | 'running'
  | 'paused'
  | 'restarting'
  | 'removing'
  | 'exited'
  | 'dead';

/** What changes while a container lives. Times are RFC 3339 with nanoseconds; ZERO_TIME means never. */
export interface ContainerStateRecord {
  status: ContainerStatus;
  pid: number;
  exitCode: number;
  error: string;
  oomKilled: boolean;
  startedAt: string;
  finishedAt: string;
  /** Kept beside `status`, since a restarting container counts as running for clients. */
  restartCount: number;
  /** A person stopped it: restart policies other than `always` at daemon start leave it alone. */
  manuallyStopped: boolean;
  /** It has been started at least once. */
  hasStarted: boolean;
  /** A commit has paused it and lets it go on; after a crash, recovery does. */
  pausedForCommit?: boolean;
  health?: Health;
}

/** A mount as decided at create: where it comes from, where it goes. */
export interface MountRecord extends MountPoint {
  /** `volume` mounts only: made for this container without a name. */
  anonymous?: boolean;
  /** `VolumeOptions.Subpath`. */
  subpath?: string;
  /** Copy the image's files into the volume at first use. */
  copyUp?: boolean;
  /** tmpfs options and bind options in mount(8) words (`size=64m`, `rbind`, `nosuid`). */
  options?: string[];
  /** `bind` mounts only: a missing source is made, a directory of root's (`-v`, or `CreateMountpoint`). */
  createSource?: boolean;
  /** `image` mounts only: the snapshot that stands on the image's layers. */
  imageSnapshot?: string;
  /** From `HostConfig.Tmpfs`, which clients do not see among the mounts. */
  unlisted?: boolean;
}

/** A container as stored in the collection `containers`. Requests are kept as asked, after normalisation and defaults. */
export interface ContainerRecord {
  id: string;
  /** Without the leading slash. */
  name: string;
  created: string;
  /** `sha256:…` of the image config, or the manifest, as the image store names images. */
  imageId: string;
  /** What the user asked for: `nginx:1.25`. */
  imageRef: string;
  /** chainID the root filesystem stands on; empty for an image without layers. */
  chainId: string;
  /** Image config merged with the request. */
  config: ContainerConfig;
  hostConfig: HostConfig;
  networkingConfig: NetworkingConfig;
  /** Resolved program and arguments (`Path`, `Args` of inspect). */
  path: string;
  args: string[];
  platform: string;
  mounts: MountRecord[];
  /** Absolute path, or empty when the log driver is `none`. */
  logPath: string;
  runtime: string;
  state: ContainerStateRecord;
  /** Sandbox of its own, while it has one. */
  sandboxId?: string;
}
