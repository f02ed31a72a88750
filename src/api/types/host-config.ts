import type { PortMap } from './container.ts';

/** Engine API v1.51 `MountPoint`. */
export interface MountPoint {
  Type?: string;
  Name?: string;
  Source?: string;
  Destination?: string;
  Driver?: string;
  Mode?: string;
  RW?: boolean;
  Propagation?: string;
}

/** Engine API v1.51 `DeviceMapping`. */
export interface DeviceMapping {
  PathOnHost?: string;
  PathInContainer?: string;
  CgroupPermissions?: string;
}

/** Engine API v1.51 `DeviceRequest`. */
export interface DeviceRequest {
  Driver?: string;
  Count?: number;
  DeviceIDs?: string[];
  Capabilities?: string[][];
  Options?: Record<string, string>;
}

/** Engine API v1.51 `ThrottleDevice`. */
export interface ThrottleDevice {
  Path?: string;
  Rate?: number;
}

/** Engine API v1.51 `MountBindOptions`. */
export interface MountBindOptions {
  Propagation?: string;
  NonRecursive?: boolean;
  CreateMountpoint?: boolean;
  ReadOnlyNonRecursive?: boolean;
  ReadOnlyForceRecursive?: boolean;
}

/** Engine API v1.51 `MountVolumeOptionsDriverConfig`. */
export interface MountVolumeOptionsDriverConfig {
  Name?: string;
  Options?: Record<string, string>;
}

/** Engine API v1.51 `MountVolumeOptions`. */
export interface MountVolumeOptions {
  NoCopy?: boolean;
  Labels?: Record<string, string>;
  DriverConfig?: MountVolumeOptionsDriverConfig;
  Subpath?: string;
}

/** Engine API v1.51 `MountImageOptions`. */
export interface MountImageOptions {
  Subpath?: string;
}

/** Engine API v1.51 `MountTmpfsOptions`. */
export interface MountTmpfsOptions {
  SizeBytes?: number;
  Mode?: number;
  Options?: string[][];
}

/** Engine API v1.51 `Mount`. */
export interface Mount {
  Target?: string;
  Source?: string;
  Type?: string;
  ReadOnly?: boolean;
  Consistency?: string;
  BindOptions?: MountBindOptions;
  VolumeOptions?: MountVolumeOptions;
  ImageOptions?: MountImageOptions;
  TmpfsOptions?: MountTmpfsOptions;
}

/** Engine API v1.51 `RestartPolicy`. */
export interface RestartPolicy {
  Name?: string;
  MaximumRetryCount?: number;
}

/** Engine API v1.51 `ResourcesBlkioWeightDevice`. */
export interface ResourcesBlkioWeightDevice {
  Path?: string;
  Weight?: number;
}

/** Engine API v1.51 `ResourcesUlimits`. */
export interface ResourcesUlimits {
  Name?: string;
  Soft?: number;
  Hard?: number;
}

/** Engine API v1.51 `Resources`. */
export interface Resources {
  CpuShares?: number;
  Memory?: number;
  CgroupParent?: string;
  BlkioWeight?: number;
  BlkioWeightDevice?: ResourcesBlkioWeightDevice[];
  BlkioDeviceReadBps?: ThrottleDevice[];
  BlkioDeviceWriteBps?: ThrottleDevice[];
  BlkioDeviceReadIOps?: ThrottleDevice[];
  BlkioDeviceWriteIOps?: ThrottleDevice[];
  CpuPeriod?: number;
  CpuQuota?: number;
  CpuRealtimePeriod?: number;
  CpuRealtimeRuntime?: number;
  CpusetCpus?: string;
  CpusetMems?: string;
  Devices?: DeviceMapping[];
  DeviceCgroupRules?: string[];
  DeviceRequests?: DeviceRequest[];
  KernelMemoryTCP?: number;
  MemoryReservation?: number;
  MemorySwap?: number;
  MemorySwappiness?: number;
  NanoCpus?: number;
  OomKillDisable?: boolean;
  Init?: boolean | null;
  PidsLimit?: number | null;
  Ulimits?: ResourcesUlimits[];
  CpuCount?: number;
  CpuPercent?: number;
  IOMaximumIOps?: number;
  IOMaximumBandwidth?: number;
}

/** Engine API v1.51 `HostConfigLogConfig`. */
export interface HostConfigLogConfig {
  Type?: string;
  Config?: Record<string, string>;
}

/** Engine API v1.51 `HostConfig`. */
export interface HostConfig extends Resources {
  Binds?: string[];
  ContainerIDFile?: string;
  LogConfig?: HostConfigLogConfig;
  NetworkMode?: string;
  PortBindings?: PortMap;
  RestartPolicy?: RestartPolicy;
  AutoRemove?: boolean;
  VolumeDriver?: string;
  VolumesFrom?: string[];
  Mounts?: Mount[];
  ConsoleSize?: number[] | null;
  Annotations?: Record<string, string>;
  CapAdd?: string[];
  CapDrop?: string[];
  CgroupnsMode?: string;
  Dns?: string[];
  DnsOptions?: string[];
  DnsSearch?: string[];
  ExtraHosts?: string[];
  GroupAdd?: string[];
  IpcMode?: string;
  Cgroup?: string;
  Links?: string[];
  OomScoreAdj?: number;
  PidMode?: string;
  Privileged?: boolean;
  PublishAllPorts?: boolean;
  ReadonlyRootfs?: boolean;
  SecurityOpt?: string[];
  StorageOpt?: Record<string, string>;
  Tmpfs?: Record<string, string>;
  UTSMode?: string;
  UsernsMode?: string;
  ShmSize?: number;
  Sysctls?: Record<string, string> | null;
  Runtime?: string | null;
  Isolation?: string;
  MaskedPaths?: string[];
  ReadonlyPaths?: string[];
}
