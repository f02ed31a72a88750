import type { HostConfig, MountPoint } from './host-config.ts';
import type { OCIDescriptor } from './image.ts';
import type { EndpointSettings } from './network.ts';

/** Engine API v1.51 `Port`. */
export interface Port {
  IP?: string;
  PrivatePort?: number;
  PublicPort?: number;
  Type?: string;
}

/** Engine API v1.51 `HealthConfig`. */
export interface HealthConfig {
  Test?: string[];
  Interval?: number;
  Timeout?: number;
  Retries?: number;
  StartPeriod?: number;
  StartInterval?: number;
}

/** Engine API v1.51 `Health`. */
export interface Health {
  Status?: string;
  FailingStreak?: number;
  Log?: HealthcheckResult[];
}

/** Engine API v1.51 `HealthcheckResult`. */
export interface HealthcheckResult {
  Start?: string;
  End?: string;
  ExitCode?: number;
  Output?: string;
}

/** Engine API v1.51 `ContainerConfig`. */
export interface ContainerConfig {
  Hostname?: string;
  Domainname?: string;
  User?: string;
  AttachStdin?: boolean;
  AttachStdout?: boolean;
  AttachStderr?: boolean;
  ExposedPorts?: Record<string, Record<string, unknown>> | null;
  Tty?: boolean;
  OpenStdin?: boolean;
  StdinOnce?: boolean;
  Env?: string[];
  Cmd?: string[];
  Healthcheck?: HealthConfig;
  ArgsEscaped?: boolean | null;
  Image?: string;
  Volumes?: Record<string, Record<string, unknown>>;
  WorkingDir?: string;
  Entrypoint?: string[];
  NetworkDisabled?: boolean | null;
  MacAddress?: string | null;
  OnBuild?: string[] | null;
  Labels?: Record<string, string>;
  StopSignal?: string | null;
  StopTimeout?: number | null;
  Shell?: string[] | null;
}

/** Engine API v1.51 `NetworkingConfig`. */
export interface NetworkingConfig {
  EndpointsConfig?: Record<string, EndpointSettings>;
}

/** Engine API v1.51 `NetworkSettings`. */
export interface NetworkSettings {
  Bridge?: string;
  SandboxID?: string;
  HairpinMode?: boolean;
  LinkLocalIPv6Address?: string;
  LinkLocalIPv6PrefixLen?: number;
  Ports?: PortMap;
  SandboxKey?: string;
  SecondaryIPAddresses?: Address[] | null;
  SecondaryIPv6Addresses?: Address[] | null;
  EndpointID?: string;
  Gateway?: string;
  GlobalIPv6Address?: string;
  GlobalIPv6PrefixLen?: number;
  IPAddress?: string;
  IPPrefixLen?: number;
  IPv6Gateway?: string;
  MacAddress?: string;
  Networks?: Record<string, EndpointSettings>;
}

/** Engine API v1.51 `Address`. */
export interface Address {
  Addr?: string;
  PrefixLen?: number;
}

/** Engine API v1.51 `PortMap`. */
export type PortMap = Record<string, PortBinding[] | null>;

/** Engine API v1.51 `PortBinding`. */
export interface PortBinding {
  HostIp?: string;
  HostPort?: string;
}

/** Engine API v1.51 `DriverData`. */
export interface DriverData {
  Name?: string;
  Data?: Record<string, string>;
}

/** Engine API v1.51 `FilesystemChange`. */
export interface FilesystemChange {
  Path?: string;
  Kind?: ChangeType;
}

/** Engine API v1.51 `ChangeType`. */
export type ChangeType = number;

/** Engine API v1.51 `ContainerInspectResponse`. */
export interface ContainerInspectResponse {
  Id?: string;
  Created?: string | null;
  Path?: string;
  Args?: string[];
  State?: ContainerState;
  Image?: string;
  ResolvConfPath?: string;
  HostnamePath?: string;
  HostsPath?: string;
  LogPath?: string | null;
  Name?: string;
  RestartCount?: number;
  Driver?: string;
  Platform?: string;
  ImageManifestDescriptor?: OCIDescriptor;
  MountLabel?: string;
  ProcessLabel?: string;
  AppArmorProfile?: string;
  ExecIDs?: string[] | null;
  HostConfig?: HostConfig;
  GraphDriver?: DriverData;
  SizeRw?: number | null;
  SizeRootFs?: number | null;
  Mounts?: MountPoint[];
  Config?: ContainerConfig;
  NetworkSettings?: NetworkSettings;
}

/** Engine API v1.51 `ContainerSummaryHostConfig`. */
export interface ContainerSummaryHostConfig {
  NetworkMode?: string;
  Annotations?: Record<string, string> | null;
}

/** Engine API v1.51 `ContainerSummaryNetworkSettings`. */
export interface ContainerSummaryNetworkSettings {
  Networks?: Record<string, EndpointSettings>;
}

/** Engine API v1.51 `ContainerSummary`. */
export interface ContainerSummary {
  Id?: string;
  Names?: string[];
  Image?: string;
  ImageID?: string;
  ImageManifestDescriptor?: OCIDescriptor | null;
  Command?: string;
  Created?: number;
  Ports?: Port[];
  SizeRw?: number | null;
  SizeRootFs?: number | null;
  Labels?: Record<string, string>;
  State?: string;
  Status?: string;
  HostConfig?: ContainerSummaryHostConfig;
  NetworkSettings?: ContainerSummaryNetworkSettings;
  Mounts?: MountPoint[];
}

/** Engine API v1.51 `ContainerState`. */
export interface ContainerState {
  Status?: string;
  Running?: boolean;
  Paused?: boolean;
  Restarting?: boolean;
  OOMKilled?: boolean;
  Dead?: boolean;
  Pid?: number;
  ExitCode?: number;
  Error?: string;
  StartedAt?: string;
  FinishedAt?: string;
  Health?: Health;
}

/** Engine API v1.51 `ContainerCreateResponse`. */
export interface ContainerCreateResponse {
  Id?: string;
  Warnings?: string[];
}

/** Engine API v1.51 `ContainerUpdateResponse`. */
export interface ContainerUpdateResponse {
  Warnings?: string[];
}

/** Engine API v1.51 `ContainerTopResponse`. */
export interface ContainerTopResponse {
  Titles?: string[];
  Processes?: string[][];
}

/** Engine API v1.51 `ContainerWaitResponse`. */
export interface ContainerWaitResponse {
  StatusCode?: number;
  Error?: ContainerWaitExitError;
}

/** Engine API v1.51 `ContainerWaitExitError`. */
export interface ContainerWaitExitError {
  Message?: string;
}

/** Engine API v1.51 `ProcessConfig`. */
export interface ProcessConfig {
  privileged?: boolean;
  user?: string;
  tty?: boolean;
  entrypoint?: string;
  arguments?: string[];
}
