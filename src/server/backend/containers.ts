import type { Filters } from '../../api/filters.ts';
import type {
  ContainerConfig,
  ContainerInspectResponse,
  ContainerStatsResponse,
  ContainerSummary,
  ContainerTopResponse,
  ExecCreateRequest,
  FilesystemChange,
  HostConfig,
  NetworkingConfig,
  OCIPlatform,
  Resources,
  RestartPolicy,
} from '../../api/index.ts';
import type { StdioSession } from './streams.ts';

export interface CreateContainerInput {
  name?: string;
  platform?: OCIPlatform;
  config: ContainerConfig;
  hostConfig: HostConfig;
  networkingConfig: NetworkingConfig;
}

/** A container's log as bytes for the client: framed unless `tty`, times and details already in front of the lines. */
export interface LogOutput {
  tty: boolean;
  output: AsyncIterable<Uint8Array>;
}

export interface LogsInput {
  stdout: boolean;
  stderr: boolean;
  follow: boolean;
  /** Nanoseconds since 1970. */
  since?: bigint;
  until?: bigint;
  tail?: number;
  timestamps: boolean;
  details: boolean;
}

export interface AttachInput {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Live output from now on. */
  stream: boolean;
  /** Replay the log first. */
  logs: boolean;
  detachKeys?: string;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/**
 * Container operations as the routes need them. `ref` is a full id, a unique id prefix, or a name (with or without the
 * leading slash). Every operation may fail with `not-found` and `conflict`, with Docker's texts.
 */
export interface ContainersBackend {
  create(input: CreateContainerInput, signal: AbortSignal): Promise<{ id: string; warnings: string[] }>;
  list(input: { all: boolean; limit: number; size: boolean; filters: Filters }): Promise<ContainerSummary[]>;
  inspect(ref: string, options: { size: boolean }): Promise<ContainerInspectResponse>;
  start(ref: string, signal: AbortSignal): Promise<void>;
  /** `timeoutSeconds` undefined: the container's own StopTimeout, else 10; negative: wait for ever. `not-modified` when it is stopped already. */
  stop(
    ref: string,
    options: { signal?: string; timeoutSeconds?: number },
    signal: AbortSignal,
  ): Promise<void>;
  restart(
    ref: string,
    options: { signal?: string; timeoutSeconds?: number },
    signal: AbortSignal,
  ): Promise<void>;
  kill(ref: string, signalName: string): Promise<void>;
  pause(ref: string): Promise<void>;
  unpause(ref: string): Promise<void>;
  /** Resolves to a promise as soon as the container is found, so that headers can go out; that promise settles when the condition holds. */
  wait(
    ref: string,
    condition: WaitCondition,
    signal: AbortSignal,
  ): Promise<{ done: Promise<{ exitCode: number; error?: string }> }>;
  remove(ref: string, options: { volumes: boolean; force: boolean; link: boolean }): Promise<void>;
  rename(ref: string, name: string): Promise<void>;
  update(ref: string, change: Resources & { RestartPolicy?: RestartPolicy }): Promise<{ warnings: string[] }>;
  resize(ref: string, size: { height: number; width: number }): Promise<void>;
  attach(ref: string, input: AttachInput, signal: AbortSignal): Promise<StdioSession>;
  logs(ref: string, input: LogsInput, signal: AbortSignal): Promise<LogOutput>;
  top(ref: string, psArgs: string): Promise<ContainerTopResponse>;
  /** One element when `stream` is false; `oneShot` leaves out the wait for a second sample. */
  stats(
    ref: string,
    options: { stream: boolean; oneShot: boolean },
    signal: AbortSignal,
  ): Promise<AsyncIterable<ContainerStatsResponse>>;
  changes(ref: string): Promise<FilesystemChange[]>;
  prune(filters: Filters): Promise<{ deleted: string[]; spaceReclaimed: number }>;
}

/** Exec operations as the routes need them. */
export interface ExecsBackend {
  create(containerRef: string, input: ExecCreateRequest): Promise<{ id: string }>;
  /** Runs it; undefined when `detach`. The session's output ends when the process has ended. */
  start(
    execId: string,
    input: { detach: boolean; tty: boolean; consoleSize?: { height: number; width: number } },
    signal: AbortSignal,
  ): Promise<StdioSession | undefined>;
  /** The document of `GET /exec/{id}/json`. */
  inspect(execId: string): Promise<Record<string, unknown>>;
  resize(execId: string, size: { height: number; width: number }): Promise<void>;
}
