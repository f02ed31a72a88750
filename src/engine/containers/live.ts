import type { OciSpec } from '../../runtime/spec-types.ts';
import type { Task, TaskStdio } from '../../runtime/types.ts';
import type { WaitCondition } from './session.ts';

/** What a wait answers. `error` is set when the container could not be started or is gone. */
export interface WaitResult {
  exitCode: number;
  error?: string;
}

/** A client that attached and waits for the container's next task. */
export interface PendingAttach {
  /** The connection to the new task, made before its program runs; undefined when there will be none. */
  settle(stdio: TaskStdio | undefined): void;
}

interface Waiter {
  condition: WaitCondition;
  resolve: (result: WaitResult) => void;
}

/** What only this process knows of a container: its task, who waits for it, what is timed for it. */
export class LiveContainer {
  readonly id: string;
  /** Set while a process runs (or is paused). */
  task: Task | undefined;
  /** Resolves when the exit of the present run, or of the last one, is recorded and told; undefined before the first. */
  exitHandled: Promise<void> | undefined;
  /** Teardown of the last run; what needs the run's resources back awaits it. */
  cleanup: Promise<void> | undefined;
  /** The process of the present run's spec, from which execs take theirs; undefined after an adoption. */
  process: OciSpec['process'];
  /** A stop is under way: its event goes out before `die`. */
  stopPending = false;
  /** A restart is under way: the exit neither removes the container nor calls the restart policy. */
  keepAfterExit = false;
  /** A remove is under way: no restart, no automatic removal. */
  removing = false;
  /**
   * Set while the run that the record tells of could not be adopted: tries again and clears this; with `force` it ends
   * the run unseen when that fails once more. Called without the container's lock.
   */
  settleUnclear: ((force: boolean) => Promise<void>) | undefined;
  /** Ends the health probes of the present run. */
  health: { pause(): void; resume(): void; stop(): void } | undefined;
  /** A restart that waits for its back-off. */
  restartTimer: NodeJS.Timeout | undefined;
  /** Back-off of the last restart in milliseconds; 0 before the first one. */
  backoffMs = 0;
  readonly pendingAttaches = new Set<PendingAttach>();
  private readonly waiters = new Set<Waiter>();

  constructor(id: string) {
    this.id = id;
  }

  /** Adds a waiter; the returned function withdraws it. */
  addWaiter(condition: WaitCondition, resolve: (result: WaitResult) => void): () => void {
    const waiter = { condition, resolve };
    this.waiters.add(waiter);
    return () => this.waiters.delete(waiter);
  }

  /** Tells those who wait for an exit. */
  tellExit(result: WaitResult): void {
    this.tell(result, (condition) => condition !== 'removed');
  }

  /** Tells everyone: there will be nothing more to wait for. */
  tellRemoved(result: WaitResult): void {
    this.tell(result, () => true);
  }

  /** Lets go of the clients that attached before a start which will not come. */
  dropPendingAttaches(): void {
    for (const pending of this.pendingAttaches) pending.settle(undefined);
    this.pendingAttaches.clear();
  }

  /** Calls off a restart; true when one was waiting. */
  cancelRestart(): boolean {
    if (!this.restartTimer) return false;
    clearTimeout(this.restartTimer);
    this.restartTimer = undefined;
    return true;
  }

  private tell(result: WaitResult, fits: (condition: WaitCondition) => boolean): void {
    for (const waiter of this.waiters) {
      if (!fits(waiter.condition)) continue;
      this.waiters.delete(waiter);
      waiter.resolve(result);
    }
  }
}

/** The live side of all containers, by id. Entries are made on demand and go with their container. */
export class LiveContainers {
  /** The daemon goes down: nothing is restarted, a stop is nobody's wish. */
  shuttingDown = false;
  private readonly entries = new Map<string, LiveContainer>();
  private readonly work = new Set<Promise<void>>();

  get(id: string): LiveContainer | undefined {
    return this.entries.get(id);
  }

  /** The entry of that container, made when there is none. */
  of(id: string): LiveContainer {
    let entry = this.entries.get(id);
    if (!entry) {
      entry = new LiveContainer(id);
      this.entries.set(id, entry);
    }
    return entry;
  }

  /** The running task, or undefined. */
  task(id: string): Task | undefined {
    return this.entries.get(id)?.task;
  }

  /** Entries with a running task. */
  running(): LiveContainer[] {
    return [...this.entries.values()].filter((entry) => entry.task !== undefined);
  }

  all(): LiveContainer[] {
    return [...this.entries.values()];
  }

  /** Keeps hold of work that goes on behind an answer, so that `settled` can await it. `work` must not reject. */
  behind(work: Promise<void>): void {
    this.work.add(work);
    void work.finally(() => this.work.delete(work));
  }

  /** Resolves when nothing goes on behind answers any more. */
  async settled(): Promise<void> {
    while (this.work.size > 0) await Promise.all(this.work);
  }

  forget(id: string): void {
    this.entries.delete(id);
  }
}
