import { WharfError } from '../../base/index.ts';
import type { OciProcess } from '../../runtime/spec-types.ts';
import type { ExecTask } from '../../runtime/types.ts';

/** How long an exec can be inspected after its end. */
const KEPT_MS = 5 * 60_000;
/** How long an exec waits for its start. */
const UNSTARTED_MS = 10 * 60_000;
/** So many execs of one container may wait for their start; each costs memory, and making one is free. */
const MAX_UNSTARTED = 1_000;

/** What was asked for at create, resolved. */
export interface ExecPlan {
  containerId: string;
  command: string[];
  process: OciProcess;
  tty: boolean;
  attachStdin: boolean;
  attachStdout: boolean;
  attachStderr: boolean;
  privileged: boolean;
  /** As asked; empty for the container's. */
  user: string;
  detachKeys: Buffer;
  /** Whether `detachKeys` were given, since inspect shows only those. */
  ownDetachKeys: boolean;
}

/** One exec: created → running → ended. */
export class Exec {
  readonly id: string;
  readonly plan: ExecPlan;
  state: 'created' | 'running' | 'ended' = 'created';
  pid = 0;
  exitCode: number | null = null;
  /** Resolves with the task, or undefined when it could not be started. */
  readonly started: Promise<ExecTask | undefined>;
  /** Tells those who wait for `started`. */
  readonly settleStarted: (task: ExecTask | undefined) => void;

  constructor(id: string, plan: ExecPlan) {
    this.id = id;
    this.plan = plan;
    const { promise, resolve } = Promise.withResolvers<ExecTask | undefined>();
    this.started = promise;
    this.settleStarted = resolve;
  }
}

/** All execs of this daemon's life. An ended one stays for five minutes, one that is not started for ten. */
export class ExecRegistry {
  private readonly execs = new Map<string, Exec>();
  private readonly byContainer = new Map<string, Set<Exec>>();
  /** Those not started yet, by container, with the timers that drop them. */
  private readonly unstarted = new Map<string, Map<Exec, NodeJS.Timeout>>();

  get(id: string): Exec | undefined {
    return this.execs.get(id);
  }

  /**
   * Adds it; true for the first of its container, whose removal the caller then reports by `forgetContainer`. Errors:
   * `conflict` when too many of that container wait for their start.
   */
  add(exec: Exec): boolean {
    const { containerId } = exec.plan;
    const waiting = this.unstarted.get(containerId) ?? new Map<Exec, NodeJS.Timeout>();
    if (waiting.size >= MAX_UNSTARTED) {
      const text = `container ${containerId} has ${MAX_UNSTARTED} exec instances that were not started`;
      throw new WharfError('conflict', text);
    }
    waiting.set(exec, setTimeout(() => this.dropUnstarted(exec), UNSTARTED_MS).unref());
    this.unstarted.set(containerId, waiting);
    this.execs.set(exec.id, exec);
    const others = this.byContainer.get(containerId);
    if (others) others.add(exec);
    else this.byContainer.set(containerId, new Set([exec]));
    return others === undefined;
  }

  /** Marks it as running. */
  begin(exec: Exec): void {
    exec.state = 'running';
    const waiting = this.unstarted.get(exec.plan.containerId);
    clearTimeout(waiting?.get(exec));
    waiting?.delete(exec);
  }

  /** Ids that `inspect` of the container shows: of execs that have not ended; null when there are none. */
  idsOf(containerId: string): string[] | null {
    const ids = [...(this.byContainer.get(containerId) ?? [])]
      .filter((exec) => exec.state !== 'ended')
      .map((exec) => exec.id);
    return ids.length > 0 ? ids : null;
  }

  /** Lets go of an ended exec when its time is over. */
  expire(exec: Exec): void {
    setTimeout(() => this.drop(exec), KEPT_MS).unref();
  }

  /** Lets go of all execs of a container that is gone. */
  forgetContainer(containerId: string): void {
    for (const exec of this.byContainer.get(containerId) ?? []) this.execs.delete(exec.id);
    this.byContainer.delete(containerId);
    for (const timer of this.unstarted.get(containerId)?.values() ?? []) clearTimeout(timer);
    this.unstarted.delete(containerId);
  }

  private dropUnstarted(exec: Exec): void {
    this.unstarted.get(exec.plan.containerId)?.delete(exec);
    this.drop(exec);
    exec.settleStarted(undefined);
  }

  private drop(exec: Exec): void {
    this.execs.delete(exec.id);
    this.byContainer.get(exec.plan.containerId)?.delete(exec);
  }
}
