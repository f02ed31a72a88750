import type { OciResources, OciSpec } from './spec-types.ts';

/** An OCI runtime that may be chosen by name (`--runtime`). */
export interface RuntimeBinary {
  name: string;
  /** Absolute path of the executable. */
  path: string;
  /** Arguments put before the subcommand. */
  args: string[];
}

/** Everything needed to make a container's process; plain data. */
export interface TaskRequest {
  id: string;
  spec: OciSpec;
  runtime: RuntimeBinary;
  terminal: boolean;
  /** Initial size of the terminal. */
  consoleSize?: { height: number; width: number };
  /** Whether stdin stays open for attach (`Config.OpenStdin`). */
  openStdin: boolean;
  /** Whether stdin closes when the first client that had it goes (`Config.StdinOnce`). */
  stdinOnce: boolean;
  /** Where conmon writes what the container prints, in conmon's `k8s-file` format; undefined for no log. */
  logPath: string | undefined;
}

/** How a process ended. `at`: nanoseconds since 1970. */
export interface TaskExit {
  /** 0–255; 128+n when signal n ended it. */
  code: number;
  at: bigint;
  oomKilled: boolean;
  /** Set when the monitor died and the true code can't be known (`code` is then 255). */
  lost?: boolean;
}

/** One piece of output. `data` may be cut anywhere, also inside a line or a character. */
export interface OutputFrame {
  stream: 'stdout' | 'stderr';
  data: Buffer;
}

/**
 * A connection to a process's stdio. Attached before `start`, it misses nothing. Output the reader does not take holds
 * back this connection only as long as the monitor's buffer lasts; whoever wants loss-free history reads the log.
 */
export interface TaskStdio {
  /** Ends when the process's output has ended, or after `close`. */
  readonly output: AsyncIterable<OutputFrame>;
  /** Writes to the process's stdin; resolves when it was taken. */
  write(data: Uint8Array): Promise<void>;
  /** Says that no more input comes from this connection: the process sees end of file (unless stdin is kept open by design). */
  closeInput(): void;
  /**
   * Lets go of the connection; the process goes on. Idempotent. The end of any connection ends the stdin of a process
   * that has its stdin once; with `keepInput` the connection stays until the process ends, unread.
   */
  close(options?: { keepInput?: boolean }): void;
}

/** Everything needed to run one more process in a container; plain data. */
export interface ExecRequest {
  execId: string;
  /** The process, completely resolved: user, env, capabilities, cwd, args, terminal. */
  process: NonNullable<OciSpec['process']>;
  openStdin: boolean;
  consoleSize?: { height: number; width: number };
}

/** A process beside the container's first one, in its namespaces. */
export interface ExecTask {
  readonly execId: string;
  /** Pid on the host. */
  readonly pid: number;
  readonly exited: Promise<TaskExit>;
  /** Undefined for a detached exec. */
  readonly stdio: TaskStdio | undefined;
  resize(height: number, width: number): Promise<void>;
  kill(signal: number): void;
}

/**
 * A container's process under its monitor. States: created → (start) running ⇄ paused → exited → (delete) gone.
 * The monitor outlives the daemon, so that a Task can be adopted by the next one (promise I3).
 */
export interface Task {
  readonly id: string;
  /** Pid of the first process on the host. */
  readonly pid: number;
  /** Pid of its monitor, which writes the log. */
  readonly monitorPid?: number;
  /** Resolves once, also for an adopted task whose process ended while no daemon ran. Never rejects. */
  readonly exited: Promise<TaskExit>;
  /** Lets the process run its program. Errors: `not-found` (program missing), `forbidden` (not executable), `internal`, each with the runtime's text. */
  start(): Promise<void>;
  attach(): Promise<TaskStdio>;
  resize(height: number, width: number): Promise<void>;
  /**
   * Has the monitor go on in a new file of the log's name, which must not exist: what bears it would be replaced.
   * Returns before it is done. `not-found` when the monitor has ended.
   */
  reopenLog(): Promise<void>;
  /** Sends a signal to the first process, or to all of the container. `not-found` when it has ended. */
  kill(signal: number, options?: { all?: boolean }): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Changes limits of the running container. */
  update(resources: OciResources): Promise<void>;
  /** Runs one more process. `attach` false runs it without stdio. */
  exec(request: ExecRequest, options: { attach: boolean }): Promise<ExecTask>;
  /** Pids (on the host) of all processes in the container. */
  pids(): Promise<number[]>;
  /** Cgroup counters of the container; undefined once it has ended. */
  stats(): Promise<CgroupStats | undefined>;
  /** Removes runtime state, cgroup and bundle of an ended task. Idempotent; kills what is left. */
  delete(): Promise<void>;
}

/** Figures from the container's cgroup, in the kernel's units: nanoseconds, bytes, counts. Absent where the host's cgroups have none. */
export interface CgroupStats {
  cgroupVersion: 1 | 2;
  cpuTotalNanos: number;
  cpuUserNanos: number;
  cpuSystemNanos: number;
  perCpuNanos?: number[];
  throttling: { periods: number; throttledPeriods: number; throttledNanos: number };
  memoryUsage: number;
  memoryMaxUsage?: number;
  memoryLimit: number;
  memoryStats: Record<string, number>;
  memoryFailcnt?: number;
  pidsCurrent: number;
  pidsLimit: number;
  io: { major: number; minor: number; op: string; value: number }[];
  ioCount: { major: number; minor: number; op: string; value: number }[];
}

/** Drives OCI runtimes through conmon. Bundles, sockets and exit files lie below the daemon's exec-root. */
export interface TaskService {
  /**
   * Says that a `create` or an `exec` comes soon: what the kernel needs time for (5–15 ms) begins now, beside other work.
   * Never fails and never waits.
   */
  anticipate?(): void;
  /**
   * Starts the monitor and has the runtime create the container, ready for `start`. All or nothing.
   * Errors: as `Task.start`; `invalid` when the runtime refuses the spec (its text is in the message).
   */
  create(request: TaskRequest, signal?: AbortSignal): Promise<Task>;
  /** A task that an earlier daemon made: running, or ended meanwhile (its `exited` is then settled). Undefined when nothing of it is left. */
  adopt(id: string, runtime: RuntimeBinary, terminal: boolean): Promise<Task | undefined>;
  /** Ids of all tasks that have anything left on this host under our exec-root. */
  leftovers(): Promise<string[]>;
  /** Kills and removes whatever is left of a task that no record names. */
  purge(id: string): Promise<void>;
}
