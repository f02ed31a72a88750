/** A row of GET /containers/json. */
export interface ContainerRow {
  Id: string;
  Names: string[] | null;
  Image: string;
  ImageID: string;
  Command: string;
  Created: number;
  Ports: { IP?: string; PrivatePort: number; PublicPort?: number; Type: string }[] | null;
  SizeRw?: number;
  SizeRootFs?: number;
  Labels: Record<string, string> | null;
  State: string;
  Status: string;
  HostConfig?: { NetworkMode?: string };
  NetworkSettings?: { Networks?: Record<string, unknown> | null } | null;
  Mounts?: { Type: string; Name?: string; Source?: string; Destination: string; Driver?: string }[] | null;
}

/** Body of POST /containers/create. */
export type CreateRequest = Record<string, unknown> & {
  HostConfig: Record<string, unknown>;
  NetworkingConfig: Record<string, unknown>;
};

/** Body of the answer to wait. */
export interface WaitResult {
  StatusCode: number;
  Error?: { Message: string } | null;
}

/** A row of GET /images/json. */
export interface ImageRow {
  Id: string;
  RepoTags: string[] | null;
  RepoDigests: string[] | null;
  Created: number;
  Size: number;
  SharedSize: number;
  Containers: number;
  Labels: Record<string, string> | null;
  /** Asked for by `manifests`. */
  Manifests?: ImageManifestRow[] | null;
}

/** What an image has for one platform, or beside its platforms. */
export interface ImageManifestRow {
  ID: string;
  Available: boolean;
  /** `image`, `attestation` or `unknown`. */
  Kind: string;
  Size: { Total: number; Content: number };
  ImageData?: {
    Platform: { os: string; architecture: string; variant?: string; 'os.version'?: string };
    Containers: string[] | null;
  } | null;
}

/** A row of GET /images/{name}/history. */
export interface HistoryRow {
  Id: string;
  Created: number;
  CreatedBy: string;
  Tags: string[] | null;
  Size: number;
  Comment: string;
}

/** A volume. */
export interface VolumeRow {
  Name: string;
  Driver: string;
  Mountpoint: string;
  Labels: Record<string, string> | null;
  Scope: string;
  UsageData?: { Size: number; RefCount: number } | null;
}

/** A network. */
export interface NetworkRow {
  Id: string;
  Name: string;
  Created: string;
  Scope: string;
  Driver: string;
  EnableIPv4?: boolean;
  EnableIPv6: boolean;
  Internal: boolean;
  Labels: Record<string, string> | null;
}

/** The parts of a stats sample that are shown. */
export interface StatsSample {
  id: string;
  name: string;
  read: string;
  preread: string;
  cpu_stats: {
    cpu_usage: { total_usage: number; percpu_usage?: number[] | null };
    system_cpu_usage?: number;
    online_cpus?: number;
  };
  precpu_stats: { cpu_usage: { total_usage: number }; system_cpu_usage?: number };
  memory_stats: { usage?: number; limit?: number; stats?: Record<string, number> };
  pids_stats: { current?: number };
  networks?: Record<string, { rx_bytes: number; tx_bytes: number }>;
  blkio_stats: { io_service_bytes_recursive?: { op: string; value: number }[] | null };
}

/** One event. */
export interface EventRow {
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> | null };
  scope: string;
  time: number;
  timeNano: number;
}

/** GET /system/df */
export interface DiskUsage {
  LayersSize: number;
  Images: ImageRow[] | null;
  Containers: ContainerRow[] | null;
  Volumes: VolumeRow[] | null;
  BuildCache: { ID: string; Type: string; Size: number; InUse: boolean; Shared: boolean }[] | null;
}

/** What a prune removed. */
export interface PruneReport {
  ContainersDeleted?: string[] | null;
  ImagesDeleted?: { Untagged?: string; Deleted?: string }[] | null;
  VolumesDeleted?: string[] | null;
  NetworksDeleted?: string[] | null;
  CachesDeleted?: string[] | null;
  SpaceReclaimed?: number;
}
