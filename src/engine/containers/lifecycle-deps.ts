import type { Clock, Logger } from '../../base/index.ts';
import type { LogShipping } from '../../logs/index.ts';
import type { LogReader, LogRotator } from '../../logs/types.ts';
import type { NetworkStack } from '../../network/types.ts';
import type {
  ExecInput,
  HostFacts,
  ResolvedUser,
  SpecDefaults,
  SpecInput,
} from '../../runtime/spec-input.ts';
import type { OciProcess, OciSpec } from '../../runtime/spec-types.ts';
import type { RuntimeBinary, TaskService } from '../../runtime/types.ts';
import type { MountSpec, Snapshotter } from '../../snapshot/types.ts';
import type { VolumeStore } from '../../volume/types.ts';
import type { EventBus } from '../events/types.ts';
import type { LiveContainers } from './live.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerStore } from './store.ts';

/** What every lifecycle operation uses. */
export interface CoreDeps {
  store: ContainerStore;
  live: LiveContainers;
  events: EventBus;
  clock: Clock;
  log: Logger;
}

/** The mount system calls of a run; synchronous but for `unmountLater`. */
export interface MountOps {
  mount(spec: MountSpec, target: string): void;
  /** Lazy; nothing happens when nothing is mounted there. */
  unmount(target: string): void;
  /** Out of the tree at once; resolves when the filesystem is let go of, which may first be written to the disk. */
  unmountLater(target: string): Promise<void>;
  /** Mount points at or below a directory, deepest first. */
  mountsBelow(directory: string): string[];
  /** Binds `path` beneath `root` on `target`, resolved without leaving `root`. Errors: `invalid`. */
  bindBeneath(root: string, path: string, target: string): void;
  /** What the mount forbids that the path lies on, in words of mount(8): `ro`, `nosuid`, `nodev`, `noexec`. Errors: `not-found`. */
  restrictions(path: string): string[];
}

/** Turns a record into an OCI spec; the functions of the runtime layer, bound to this host. */
export interface SpecOps {
  assembleSpec(input: SpecInput): OciSpec;
  resolveUser(root: string, spec: string, groupAdd: string[]): ResolvedUser;
  prepareWorkdir(root: string, directory: string): void;
  execProcess(input: ExecInput): OciProcess;
  readonly host: HostFacts;
  /** Read at each start, since a reload of the daemon's configuration may change them. */
  defaults(): SpecDefaults;
}

/** Directories below which runs keep their mounts. */
export interface RunPaths {
  /** Root filesystems: `<mounts>/<container id>`. Short: overlay's options have a page. */
  mounts: string;
  /** Private binds of volume subpaths: `<subpaths>/<container id>/<n>`. */
  subpaths: string;
  /** Files of one container: `<containers>/<container id>/{hosts,hostname,resolv.conf}`. */
  containers: string;
}

/** Writes hosts, hostname and resolv.conf of a container, for its present sandbox; returns their host paths. */
export type WriteNetworkFiles = (
  record: ContainerRecord,
  sandbox: NetworkSandbox | undefined,
) => NetworkFiles;

export type NetworkSandbox = Awaited<ReturnType<NetworkStack['createSandbox']>>;

/** Host paths of the three files; an absent one is not mounted. */
export interface NetworkFiles {
  hosts?: string;
  hostname?: string;
  resolvConf?: string;
}

/** What is needed to give back all that a run holds. */
export interface TeardownDeps extends CoreDeps {
  networks: Pick<
    NetworkStack,
    'createSandbox' | 'removeSandbox' | 'sandbox' | 'sandboxOf' | 'get' | 'connect' | 'disconnect' | 'rename'
  >;
  volumes: Pick<VolumeStore, 'acquire' | 'release' | 'remove' | 'get' | 'mountpoint'>;
  mounts: MountOps;
  paths: RunPaths;
  snapshotter: Pick<Snapshotter, 'mount' | 'view' | 'remove' | 'stat' | 'list'>;
  logs: Pick<LogReader, 'remove'> & Pick<LogRotator, 'watch'> & Pick<LogShipping, 'ship' | 'finish'>;
}

/** What is needed to run a container. */
export interface RunDeps extends TeardownDeps {
  tasks: TaskService;
  specs: SpecOps;
  writeNetworkFiles: WriteNetworkFiles;
  /** Brings those files of a running container in step with its sandbox, which was `before`. */
  updateNetworkFiles(record: ContainerRecord, before: NetworkSandbox, after: NetworkSandbox): void;
  /** Tells running containers that are linked to this one its address. */
  updateLinkedFiles(target: ContainerRecord, sandbox: NetworkSandbox): void;
  /** Name servers that the daemon's configuration gives to containers without any; empty for the host's. */
  daemonDns(): readonly string[];
  /** Errors: `invalid` for a name that the daemon does not know. */
  runtime(name: string): RuntimeBinary;
  /** Begins the health probes of a container that has just started, or was `adopted`; undefined when it has no check. */
  monitorHealth(record: ContainerRecord, adopted?: boolean): LiveHealth | undefined;
}

/** Health probes under way. */
export interface LiveHealth {
  pause(): void;
  resume(): void;
  stop(): void;
}
