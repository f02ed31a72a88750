import type { ContainerConfig, HostConfig, ResourcesUlimits } from '../api/index.ts';
import type { SeccompProfile } from './spec/seccomp.ts';
import type { OciMount, OciProcess } from './spec-types.ts';

/** A user as the kernel sees it, resolved against the container's own passwd and group files. */
export interface ResolvedUser {
  uid: number;
  gid: number;
  /** Supplementary groups, the primary one included, as Docker sets them. */
  additionalGids: number[];
  /** Home directory for `$HOME`; `/` when the user has no entry. */
  home: string;
  /** Name of the matching passwd entry; empty without one. */
  name: string;
}

/** A device node of the host. */
export interface DeviceNode {
  path: string;
  type: 'c' | 'b' | 'p';
  major: number;
  minor: number;
  /** Permission bits, without the file type. */
  mode: number;
  uid: number;
  gid: number;
}

/** What this host's kernel and this process are able to do. Read once by `hostFacts()`; tests inject their own. */
export interface HostFacts {
  /** Docker's architecture name (`amd64`, `arm64` …). */
  architecture: string;
  /** `6.18`: major and minor of the running kernel. */
  kernel: { major: number; minor: number };
  cpus: number;
  /** Bytes of memory of the host. */
  memory: number;
  /** All capabilities of this process (`CAP_…`), in kernel order: what `privileged` and `--cap-add ALL` can give. */
  capabilities: string[];
  cgroup: CgroupFacts;
  apparmor: boolean;
  selinux: boolean;
  seccomp: boolean;
  /** Hard limits of this process by rlimit name (`RLIMIT_NOFILE`); Infinity for none. */
  hardLimits: Record<string, number>;
  /** CAP_SYS_RESOURCE: rlimits may be raised and oom_score_adj lowered. */
  sysResource: boolean;
  /** oom_score_adj of this process. */
  oomScoreAdj: number;
  /** CPUs that have a thermal_throttle directory, for the masked paths. */
  thermalCpus: number[];
  /** The first of docker-init, tini, catatonit found; undefined for none. */
  initBinary: string | undefined;
  /** The device node at that host path (links followed); undefined when there is none. */
  device(path: string): DeviceNode | undefined;
  /** All device nodes below a host directory (`/dev` for privileged), without ptys, shm, mqueue and console. */
  devicesBelow(path: string): DeviceNode[];
}

/** Controllers and files of the host's cgroups, each as a capability that a limit depends on. */
export interface CgroupFacts {
  version: 1 | 2;
  memoryLimit: boolean;
  swapLimit: boolean;
  memoryReservation: boolean;
  memorySwappiness: boolean;
  oomKillDisable: boolean;
  kernelMemoryTcp: boolean;
  cpuShares: boolean;
  cpuCfs: boolean;
  cpuRealtime: boolean;
  cpuset: boolean;
  /** Lists of the root group (`0-3`); empty without the controller. */
  cpusetCpus: string;
  cpusetMems: string;
  blkioWeight: boolean;
  blkioWeightDevice: boolean;
  blkioThrottle: boolean;
  pidsLimit: boolean;
  devices: boolean;
}

/** What the daemon adds where a request says nothing. */
export interface SpecDefaults {
  /** `default-ulimits`. */
  ulimits?: ResourcesUlimits[];
  /** Seccomp profile for containers without `seccomp=` of their own; undefined for none. See `loadSeccompProfile`. */
  seccomp?: SeccompProfile | undefined;
  /** Parent cgroup of all containers, default `/docker`. */
  cgroupParent?: string;
  /** `no-new-privileges` of the daemon. */
  noNewPrivileges?: boolean;
  /** `--init` for containers that say nothing. */
  init?: boolean;
  /** Path of the init program instead of the host's. */
  initPath?: string;
}

/** Namespaces to join instead of making new ones; `/proc/PID/ns/…` or a pinned file. */
export interface NamespacePaths {
  /** The container's network sandbox; undefined with `none` (a fresh namespace) and `host` (see HostConfig.NetworkMode). */
  network?: string;
  /** For `IpcMode: container:ID`. */
  ipc?: string;
  /** For `PidMode: container:ID`. */
  pid?: string;
}

/** Everything a container's OCI spec is made from; plain data, resolved before. */
export interface SpecInput {
  id: string;
  hostname: string;
  config: ContainerConfig;
  hostConfig: HostConfig;
  /** Program and its arguments, entrypoint and command joined. */
  path: string;
  args: string[];
  /** Absolute host path of the mounted root filesystem. */
  rootfs: string;
  user: ResolvedUser;
  /** Binds, volumes, tmpfs and /etc files, resolved, in order; a destination here replaces the default mount of that path. */
  mounts: OciMount[];
  /** With IpcMode shareable or container: the host directory that is bound on /dev/shm; undefined for a tmpfs of ShmSize. */
  shmPath?: string;
  namespaces: NamespacePaths;
  /** Variables that tell of linked containers; the container's own come over them. */
  linkEnvironment?: string[];
  host: HostFacts;
  defaults: SpecDefaults;
}

/** What `docker exec` asks for, with its user resolved. */
export interface ExecInput {
  /** `process` of the container's spec. */
  container: OciProcess;
  args: string[];
  /** Added to (and overriding) the container's environment. */
  env: string[];
  user: ResolvedUser;
  /** True when the exec names a user of its own; otherwise the container's user and groups are taken. */
  ownUser: boolean;
  /** Empty for the container's. */
  cwd: string;
  tty: boolean;
  privileged: boolean;
  consoleSize?: { height: number; width: number };
  /** HostConfig of the container: capabilities of an exec are those of the container. */
  hostConfig: HostConfig;
  host: HostFacts;
}
