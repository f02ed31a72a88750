import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Logger, WharfError } from '../base/index.ts';
import type { WantedProcess } from './diagnose.ts';
import { execTask } from './exec-task.ts';
import { reopenLog, resizeTerminal, tell, writeNow } from './fifo.ts';
import { runtimeProgram } from './runtime-program.ts';
import type { OciResources } from './spec-types.ts';
import { attachStdio } from './stdio.ts';
import { TaskCgroup } from './task-cgroup.ts';
import { lostExit, REFUSED, readExit } from './task-exit.ts';
import { runRuntime, signalProcess, type TaskPlace, type TaskState } from './task-place.ts';
import type { ExecRequest, ExecTask, Task, TaskExit } from './types.ts';
import { findUnrunnable } from './unrunnable.ts';

const SIGKILL = 9;
/** What a killed task's monitor may take to end. Milliseconds. */
const KILL_LIMIT = 10_000;

/** A task under conmon. */
export class ConmonTask implements Task {
  readonly id: string;
  readonly pid: number;
  readonly monitorPid: number;
  readonly exited: Promise<TaskExit>;
  private readonly place: TaskPlace;
  private readonly state: TaskState;
  private readonly cgroup: TaskCgroup;
  private readonly log: Logger;
  private readonly wanted: WantedProcess | undefined;
  private finished = false;
  private deleting: Promise<void> | undefined;

  /** `wanted` is what `start` will run; an adopted task runs already. */
  constructor(place: TaskPlace, state: TaskState, ended: Promise<void>, log: Logger, wanted?: WantedProcess) {
    this.wanted = wanted;
    this.place = place;
    this.state = state;
    this.log = log;
    this.id = state.id;
    this.pid = state.pid;
    this.monitorPid = state.monitorPid;
    this.cgroup = new TaskCgroup(state.cgroup);
    this.exited = ended.then(() => this.settle());
  }

  /** Never rejects: what can't be read is lost. */
  private async settle(): Promise<TaskExit> {
    try {
      const exit = await readExit(`${this.place.exits}/${this.id}`, this.place.bundle);
      if (exit) return { ...exit, oomKilled: exit.oomKilled || this.cgroup.oomKilled() };
    } catch (cause) {
      this.log.error('the exit of a container cannot be read', { id: this.id, error: String(cause) });
    } finally {
      this.finished = true;
    }
    // The monitor died: without it nobody reads the output or learns the code, so nothing may run on unseen.
    signalProcess(this.state, SIGKILL);
    await this.cgroup.kill().catch((cause: unknown) => {
      this.log.error('processes of a container are left', { id: this.id, error: String(cause) });
    });
    return lostExit();
  }

  async start(): Promise<void> {
    if (this.wanted && this.refuse(this.wanted)) return;
    const fifo = `${this.place.runtimeRoot}/${this.id}/exec.fifo`;
    if (!runtimeProgram(this.place.runtime).crun || !existsSync(fifo))
      return runRuntime(this.place, ['start', this.id]);
    // crun's init waits for one byte on its fifo (crun 1.x, `status.c`); the open fails when nobody reads.
    writeNow(fifo, Buffer.alloc(1), () => unlinkSync(fifo));
  }

  /** Ends a container whose program the kernel will refuse as other runtimes do: with the reason on stderr, and 255. */
  private refuse(wanted: WantedProcess): boolean {
    const found = findUnrunnable(this.place.runtime, this.pid, wanted);
    if (!found) return false;
    writeFileSync(`${this.place.bundle}/${REFUSED}`, '');
    tell(this.pid, `exec ${found.program}: ${found.reason}\n`);
    return signalProcess(this.state, SIGKILL);
  }

  async attach() {
    return attachStdio(`${this.place.bundle}/attach`);
  }

  async resize(height: number, width: number): Promise<void> {
    resizeTerminal(this.place.bundle, height, width);
  }

  async reopenLog(): Promise<void> {
    reopenLog(this.place.bundle);
  }

  async kill(signal: number, options: { all?: boolean } = {}): Promise<void> {
    const taken = options.all
      ? this.cgroup.signal(signal).length > 0
      : !this.finished && signalProcess(this.state, signal);
    if (!taken) throw new WharfError('not-found', `the process of container ${this.id} has ended`);
    if (signal === SIGKILL) this.cgroup.thawNow();
  }

  async pause(): Promise<void> {
    await this.cgroup.freeze(true);
  }

  async resume(): Promise<void> {
    await this.cgroup.freeze(false);
  }

  async update(resources: OciResources): Promise<void> {
    if (this.cgroup.update(resources)) return;
    const file = `${this.place.bundle}/update.json`;
    await writeFile(file, JSON.stringify(resources), { mode: 0o600 });
    await runRuntime(this.place, ['update', '--resources', file, this.id]);
  }

  async exec(request: ExecRequest, options: { attach: boolean }): Promise<ExecTask> {
    return execTask(this.place, this.state, request, options.attach);
  }

  async pids(): Promise<number[]> {
    return this.cgroup.pids();
  }

  async stats() {
    return this.finished ? undefined : this.cgroup.stats();
  }

  delete(): Promise<void> {
    this.deleting ??= this.remove().catch((thrown: unknown) => {
      this.deleting = undefined;
      throw thrown;
    });
    return this.deleting;
  }

  private async remove(): Promise<void> {
    if (!this.finished) {
      signalProcess(this.state, SIGKILL);
      this.cgroup.thawNow();
      const late = new AbortController();
      await Promise.race([
        this.exited,
        delay(KILL_LIMIT, undefined, { signal: late.signal }).catch(() => {}),
      ]);
      late.abort();
    }
    await removeTask(this.place, this.state, this.log);
  }
}

/**
 * Removes what a task has on disk and in the kernel, whatever its state. crun's own `delete` does no more than this, for
 * a process of 5 ms; other runtimes are asked.
 */
export async function removeTask(
  place: TaskPlace,
  { id, cgroup }: Pick<TaskState, 'id' | 'cgroup'>,
  log: Logger,
): Promise<void> {
  const state = `${place.runtimeRoot}/${id}`;
  const group = new TaskCgroup(cgroup);
  if (!runtimeProgram(place.runtime).crun && existsSync(state)) {
    await runRuntime(place, ['delete', '--force', id]).catch((thrown: unknown) => {
      log.warn('the runtime could not delete a container', { id, error: String(thrown) });
    });
  }
  await group.remove();
  // The bundle goes last: as long as it is there, the next daemon knows of the task.
  await Promise.all([
    rm(state, { recursive: true, force: true }),
    rm(`${place.exits}/${id}`, { force: true }),
  ]);
  await rm(place.bundle, { recursive: true, force: true });
}
