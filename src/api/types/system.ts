import type { ImageID } from './image.ts';

/** Engine API v1.51 `AuthConfig`, and the two tokens that `X-Registry-Auth` may carry ("Authentication" in its preamble). */
export interface AuthConfig {
  username?: string;
  password?: string;
  email?: string;
  serveraddress?: string;
  identitytoken?: string;
  registrytoken?: string;
}

/** Engine API v1.51 `SystemVersionPlatform`. */
export interface SystemVersionPlatform {
  Name?: string;
}

/** Engine API v1.51 `SystemVersionComponents`. */
export interface SystemVersionComponents {
  Name?: string;
  Version?: string;
  Details?: Record<string, unknown> | null;
}

/** Engine API v1.51 `SystemVersion`. */
export interface SystemVersion {
  Platform?: SystemVersionPlatform;
  Components?: SystemVersionComponents[];
  Version?: string;
  ApiVersion?: string;
  MinAPIVersion?: string;
  GitCommit?: string;
  GoVersion?: string;
  Os?: string;
  Arch?: string;
  KernelVersion?: string;
  Experimental?: boolean;
  BuildTime?: string;
}

/** Engine API v1.51 `SystemInfoDefaultAddressPools`. */
export interface SystemInfoDefaultAddressPools {
  Base?: string;
  Size?: number;
}

/** Engine API v1.51 `SystemInfo`. */
export interface SystemInfo {
  ID?: string;
  Containers?: number;
  ContainersRunning?: number;
  ContainersPaused?: number;
  ContainersStopped?: number;
  Images?: number;
  Driver?: string;
  DriverStatus?: string[][];
  DockerRootDir?: string;
  Plugins?: PluginsInfo;
  MemoryLimit?: boolean;
  SwapLimit?: boolean;
  KernelMemoryTCP?: boolean;
  CpuCfsPeriod?: boolean;
  CpuCfsQuota?: boolean;
  CPUShares?: boolean;
  CPUSet?: boolean;
  PidsLimit?: boolean;
  OomKillDisable?: boolean;
  IPv4Forwarding?: boolean;
  Debug?: boolean;
  NFd?: number;
  NGoroutines?: number;
  SystemTime?: string;
  LoggingDriver?: string;
  CgroupDriver?: string;
  CgroupVersion?: string;
  NEventsListener?: number;
  KernelVersion?: string;
  OperatingSystem?: string;
  OSVersion?: string;
  OSType?: string;
  Architecture?: string;
  NCPU?: number;
  MemTotal?: number;
  IndexServerAddress?: string;
  RegistryConfig?: RegistryServiceConfig;
  GenericResources?: GenericResource[];
  HttpProxy?: string;
  HttpsProxy?: string;
  NoProxy?: string;
  Name?: string;
  Labels?: string[];
  ExperimentalBuild?: boolean;
  ServerVersion?: string;
  Runtimes?: Record<string, Runtime>;
  DefaultRuntime?: string;
  Swarm?: SwarmInfo;
  LiveRestoreEnabled?: boolean;
  Isolation?: string;
  InitBinary?: string;
  ContainerdCommit?: Commit;
  RuncCommit?: Commit;
  InitCommit?: Commit;
  SecurityOptions?: string[];
  ProductLicense?: string;
  DefaultAddressPools?: SystemInfoDefaultAddressPools[];
  FirewallBackend?: FirewallInfo;
  DiscoveredDevices?: DeviceInfo[];
  Warnings?: string[];
  CDISpecDirs?: string[];
  Containerd?: ContainerdInfo;
}

/** Engine API v1.51 `ContainerdInfoNamespaces`. */
export interface ContainerdInfoNamespaces {
  Containers?: string;
  Plugins?: string;
}

/** Engine API v1.51 `ContainerdInfo`. */
export interface ContainerdInfo {
  Address?: string;
  Namespaces?: ContainerdInfoNamespaces;
}

/** Engine API v1.51 `FirewallInfo`. */
export interface FirewallInfo {
  Driver?: string;
  Info?: string[][];
}

/** Engine API v1.51 `PluginsInfo`. */
export interface PluginsInfo {
  Volume?: string[];
  Network?: string[];
  Authorization?: string[];
  Log?: string[];
}

/** Engine API v1.51 `RegistryServiceConfig`. */
export interface RegistryServiceConfig {
  InsecureRegistryCIDRs?: string[];
  IndexConfigs?: Record<string, IndexInfo>;
  Mirrors?: string[];
}

/** Engine API v1.51 `IndexInfo`. */
export interface IndexInfo {
  Name?: string;
  Mirrors?: string[];
  Secure?: boolean;
  Official?: boolean;
}

/** Engine API v1.51 `Runtime`. */
export interface Runtime {
  path?: string;
  runtimeArgs?: string[] | null;
  status?: Record<string, string> | null;
}

/** Engine API v1.51 `Commit`. */
export interface Commit {
  ID?: string;
}

/** Engine API v1.51 `SwarmInfo`. */
export interface SwarmInfo {
  NodeID?: string;
  NodeAddr?: string;
  LocalNodeState?: LocalNodeState;
  ControlAvailable?: boolean;
  Error?: string;
  RemoteManagers?: PeerNode[] | null;
  Nodes?: number | null;
  Managers?: number | null;
  Cluster?: ClusterInfo;
}

/** Engine API v1.51 `LocalNodeState`. */
export type LocalNodeState = string;

/** Engine API v1.51 `PeerNode`. */
export interface PeerNode {
  NodeID?: string;
  Addr?: string;
}

/** Engine API v1.51 `EventActor`. */
export interface EventActor {
  ID?: string;
  Attributes?: Record<string, string>;
}

/** Engine API v1.51 `EventMessage`. */
export interface EventMessage {
  Type?: string;
  Action?: string;
  Actor?: EventActor;
  scope?: string;
  time?: number;
  timeNano?: number;
}

/** Engine API v1.51 `ErrorResponse`. */
export interface ErrorResponse {
  message?: string;
}

/** Engine API v1.51 `ErrorDetail`. */
export interface ErrorDetail {
  code?: number;
  message?: string;
}

/** Engine API v1.51 `ProgressDetail`. */
export interface ProgressDetail {
  current?: number;
  total?: number;
}

/** Engine API v1.51 `IDResponse`. */
export interface IDResponse {
  Id?: string;
}

/** Engine API v1.51 `DeviceInfo`. */
export interface DeviceInfo {
  Source?: string;
  ID?: string;
}

/** Engine API v1.51 `GenericResourcesNamedResourceSpec`. */
export interface GenericResourcesNamedResourceSpec {
  Kind?: string;
  Value?: string;
}

/** Engine API v1.51 `GenericResourcesDiscreteResourceSpec`. */
export interface GenericResourcesDiscreteResourceSpec {
  Kind?: string;
  Value?: number;
}

/** One element of Engine API v1.51 `GenericResources`. */
export interface GenericResource {
  NamedResourceSpec?: GenericResourcesNamedResourceSpec;
  DiscreteResourceSpec?: GenericResourcesDiscreteResourceSpec;
}

/** Engine API v1.51 `ClusterInfo`. */
export interface ClusterInfo {
  ID?: string;
  Version?: ObjectVersion;
  CreatedAt?: string;
  UpdatedAt?: string;
  Spec?: SwarmSpec;
  TLSInfo?: TLSInfo;
  RootRotationInProgress?: boolean;
  DataPathPort?: number;
  DefaultAddrPool?: string[];
  SubnetSize?: number;
}

/** Engine API v1.51 `TLSInfo`. */
export interface TLSInfo {
  TrustRoot?: string;
  CertIssuerSubject?: string;
  CertIssuerPublicKey?: string;
}

/** Engine API v1.51 `JoinTokens`. */
export interface JoinTokens {
  Worker?: string;
  Manager?: string;
}

/** Engine API v1.51 `ObjectVersion`. */
export interface ObjectVersion {
  Index?: number;
}

/** Engine API v1.51 `SwarmSpecOrchestration`. */
export interface SwarmSpecOrchestration {
  TaskHistoryRetentionLimit?: number;
}

/** Engine API v1.51 `SwarmSpecRaft`. */
export interface SwarmSpecRaft {
  SnapshotInterval?: number;
  KeepOldSnapshots?: number;
  LogEntriesForSlowFollowers?: number;
  ElectionTick?: number;
  HeartbeatTick?: number;
}

/** Engine API v1.51 `SwarmSpecDispatcher`. */
export interface SwarmSpecDispatcher {
  HeartbeatPeriod?: number;
}

/** Engine API v1.51 `SwarmSpecCAConfigExternalCAs`. */
export interface SwarmSpecCAConfigExternalCAs {
  Protocol?: string;
  URL?: string;
  Options?: Record<string, string>;
  CACert?: string;
}

/** Engine API v1.51 `SwarmSpecCAConfig`. */
export interface SwarmSpecCAConfig {
  NodeCertExpiry?: number;
  ExternalCAs?: SwarmSpecCAConfigExternalCAs[];
  SigningCACert?: string;
  SigningCAKey?: string;
  ForceRotate?: number;
}

/** Engine API v1.51 `SwarmSpecEncryptionConfig`. */
export interface SwarmSpecEncryptionConfig {
  AutoLockManagers?: boolean;
}

/** Engine API v1.51 `SwarmSpecTaskDefaultsLogDriver`. */
export interface SwarmSpecTaskDefaultsLogDriver {
  Name?: string;
  Options?: Record<string, string>;
}

/** Engine API v1.51 `SwarmSpecTaskDefaults`. */
export interface SwarmSpecTaskDefaults {
  LogDriver?: SwarmSpecTaskDefaultsLogDriver;
}

/** Engine API v1.51 `SwarmSpec`. */
export interface SwarmSpec {
  Name?: string;
  Labels?: Record<string, string>;
  Orchestration?: SwarmSpecOrchestration | null;
  Raft?: SwarmSpecRaft;
  Dispatcher?: SwarmSpecDispatcher | null;
  CAConfig?: SwarmSpecCAConfig | null;
  EncryptionConfig?: SwarmSpecEncryptionConfig;
  TaskDefaults?: SwarmSpecTaskDefaults;
}

/** Engine API v1.51 `Limit`. */
export interface Limit {
  NanoCPUs?: number;
  MemoryBytes?: number;
  Pids?: number;
}

/** Engine API v1.51 `Driver`. */
export interface Driver {
  Name?: string;
  Options?: Record<string, string>;
}

/** Engine API v1.51 `BuildCache`. */
export interface BuildCache {
  ID?: string;
  Parents?: string[] | null;
  Type?: string;
  Description?: string;
  InUse?: boolean;
  Shared?: boolean;
  Size?: number;
  CreatedAt?: string;
  LastUsedAt?: string | null;
  UsageCount?: number;
}

/** Engine API v1.51 `BuildInfo`. */
export interface BuildInfo {
  id?: string;
  stream?: string;
  error?: string | null;
  errorDetail?: ErrorDetail;
  status?: string;
  progress?: string | null;
  progressDetail?: ProgressDetail;
  aux?: ImageID;
}
