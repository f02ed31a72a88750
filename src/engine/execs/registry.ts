import type { OciProcess } from '../../runtime/spec-types.ts';
import type { ExecTask } from '../../runtime/types.ts';

/** How long an exec can be inspected after its end. */
const KEPT_MS = 5 * 60_000;

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

/** All execs of this daemon's life. An ended one stays for five minutes. */
export class ExecRegistry {
  private readonly execs = new Map<string, Exec>();
  private readonly byContainer = new Map<string, Set<Exec>>();

  get(id: string): Exec | undefined {
    return this.execs.get(id);
  }

  /** Adds it; true for the first of its container, whose removal the caller then reports by `forgetContainer`. */
  add(exec: Exec): boolean {
    this.execs.set(exec.id, exec);
    const { containerId } = exec.plan;
    const others = this.byContainer.get(containerId);
    if (others) others.add(exec);
    else this.byContainer.set(containerId, new Set([exec]));
    return others === undefined;
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
    const drop = () => {
      this.execs.delete(exec.id);
      this.byContainer.get(exec.plan.containerId)?.delete(exec);
    };
    setTimeout(drop, KEPT_MS).unref();
  }

  /** Lets go of all execs of a container that is gone. */
  forgetContainer(containerId: string): void {
    for (const exec of this.byContainer.get(containerId) ?? []) this.execs.delete(exec.id);
    this.byContainer.delete(containerId);
  }
}
