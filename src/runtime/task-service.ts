import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { errnoCode, isKind, type Logger, span, WharfError } from '../base/index.ts';
import { anticipateMove } from './anticipate.ts';
import { programFailure } from './failure.ts';
import { type Monitored, startMonitor } from './monitor.ts';
import { runtimeProgram } from './runtime-program.ts';
import { withReadyFilter } from './seccomp-cache.ts';
import type { OciSpec } from './spec-types.ts';
import { ConmonTask, removeTask } from './task.ts';
import { monitorEnd } from './task-exit.ts';
import { monitorArgs, startTicks, type TaskPlace, type TaskState } from './task-place.ts';
import type { RuntimeBinary, Task, TaskRequest, TaskService } from './types.ts';

/** Where the service works and what it reports to. */
export interface TaskServiceOptions {
  /** Below it lie `bundles`, `exits`, `runtime/<name>`. On a tmpfs best. */
  execRoot: string;
  conmonPath: string;
  log: Logger;
  /** How long a runtime may take for one step, in milliseconds; 120 s when left out. */
  answerLimit?: number;
}

const ID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const PRIVATE = { recursive: true, mode: 0o700 } as const;

/** Files in a bundle: of the process that runs, and of the runtime that was called for it. */
const TASK = 'task.json';
const RUNTIME = 'runtime.json';

class ConmonTaskService implements TaskService {
  private readonly options: TaskServiceOptions;

  constructor(options: TaskServiceOptions) {
    this.options = options;
    for (const dir of ['bundles', 'exits', 'runtime']) mkdirSync(`${options.execRoot}/${dir}`, PRIVATE);
  }

  private place(id: string, runtime: RuntimeBinary): TaskPlace {
    if (!ID.test(id) || !ID.test(runtime.name)) throw new WharfError('invalid', `${id} is no id of a task`);
    const { execRoot, conmonPath, answerLimit } = this.options;
    return {
      bundle: `${execRoot}/bundles/${id}`,
      exits: `${execRoot}/exits`,
      runtimeRoot: `${execRoot}/runtime/${runtime.name}`,
      conmon: conmonPath,
      runtime,
      answerLimit,
    };
  }

  anticipate(): void {
    anticipateMove();
  }

  async create(request: TaskRequest, signal?: AbortSignal): Promise<Task> {
    anticipateMove();
    const { id, runtime } = request;
    const { log } = this.options;
    const place = this.place(id, runtime);
    await this.makeBundle(id, place);
    // Before anything of the runtime exists: a daemon that ends in the middle of this leaves word of who can remove it.
    writeFileSync(`${place.bundle}/${RUNTIME}`, JSON.stringify(runtime), { mode: 0o600 });
    const cgroup = request.spec.linux.cgroupsPath ?? '';
    try {
      const monitored = await this.monitor(place, request, signal);
      const { pid, monitorPid } = monitored;
      const state: TaskState = { id, pid, ticks: startTicks(pid), cgroup, monitorPid };
      writeFileSync(`${place.bundle}/${TASK}`, JSON.stringify(state), { mode: 0o600 });
      return new ConmonTask(place, state, monitored.ended, log, request.spec.process);
    } catch (thrown) {
      await removeTask(place, { id, cgroup }, log).catch((left: unknown) => {
        log.error('a failed start left something behind', { id, error: String(left) });
      });
      throw thrown;
    }
  }

  private async makeBundle(id: string, { bundle }: TaskPlace): Promise<void> {
    try {
      mkdirSync(bundle, { mode: 0o700 });
    } catch (thrown) {
      if (errnoCode(thrown) !== 'EEXIST') throw WharfError.from(thrown);
      await this.purge(id);
      mkdirSync(bundle, { mode: 0o700 });
    }
  }

  private async monitor(place: TaskPlace, request: TaskRequest, signal?: AbortSignal): Promise<Monitored> {
    const { id, runtime } = request;
    using _ = span('conmon', id);
    const spec = sizedSpec(request);
    const ready = withReadyFilter(spec, runtimeProgram(runtime));
    writeFileSync(`${place.bundle}/config.json`, JSON.stringify(ready), { mode: 0o600 });
    const log = request.logPath ? `k8s-file:${request.logPath}` : 'none';
    const args = [...monitorArgs(place, id, place.bundle, place.exits), '-l', log];
    if (request.terminal) args.push('-t');
    if (request.openStdin) args.push('-i');
    if (request.openStdin && !request.stdinOnce) args.push('--leave-stdin-open');
    try {
      const { bundle: cwd, conmon, answerLimit } = place;
      return await startMonitor({ conmon, args, cwd, signal, answerLimit });
    } catch (thrown) {
      if (!isKind(thrown, 'internal') || !spec.process) throw thrown;
      const view = { root: spec.root.path, mounts: spec.mounts };
      throw programFailure({ text: (thrown as Error).message, process: spec.process, view, step: 'create' });
    }
  }

  async adopt(id: string, runtime: RuntimeBinary): Promise<Task | undefined> {
    const place = this.place(id, runtime);
    const saved = saidIn<TaskState>(`${place.bundle}/${TASK}`);
    if (!saved) return undefined;
    return new ConmonTask(place, saved, monitorEnd(saved.monitorPid, place.bundle), this.options.log);
  }

  async leftovers(): Promise<string[]> {
    const { execRoot } = this.options;
    const runtimes = await readdir(`${execRoot}/runtime`);
    const dirs = ['bundles', 'exits', ...runtimes.map((name) => `runtime/${name}`)];
    const found = await Promise.all(dirs.map((dir) => readdir(`${execRoot}/${dir}`)));
    return [...new Set(found.flat().filter((name) => ID.test(name)))];
  }

  async purge(id: string): Promise<void> {
    const { execRoot, log } = this.options;
    const bundle = `${execRoot}/bundles/${id}`;
    const runtime = saidIn<RuntimeBinary>(`${bundle}/${RUNTIME}`);
    const task = runtime && (await this.adopt(id, runtime));
    if (task) return task.delete();
    // A start that was cut off.
    const cgroup = saidIn<OciSpec>(`${bundle}/config.json`)?.linux.cgroupsPath ?? '';
    if (runtime) {
      const place = this.place(id, runtime);
      const begun = begunTask(bundle, { id, cgroup });
      if (!begun) return removeTask(place, { id, cgroup }, log);
      // Its monitor must have ended: it would write down the exit after all else is gone.
      return new ConmonTask(place, begun, monitorEnd(begun.monitorPid, bundle), log).delete();
    }
    // Without its bundle, where the state lies tells which runtime it is of, and nothing where that is.
    const names = await readdir(`${execRoot}/runtime`);
    for (const name of names.length > 0 ? names : ['crun']) {
      const place = this.place(id, { name, path: `/usr/bin/${name}`, args: [] });
      await removeTask(place, { id, cgroup }, log);
    }
  }
}

function sizedSpec({ spec, terminal, consoleSize }: TaskRequest): OciSpec {
  if (!terminal || !consoleSize || !spec.process) return spec;
  return { ...spec, process: { ...spec.process, consoleSize } };
}

/** A container that runs already, with its monitor, although no `task.json` tells of it. */
function begunTask(bundle: string, known: Pick<TaskState, 'id' | 'cgroup'>): TaskState | undefined {
  const pid = saidIn<number>(`${bundle}/pid`);
  if (pid === undefined) return undefined;
  try {
    // proc(5): the parent is the second field after the name in parentheses.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const monitorPid = Number(stat.slice(stat.lastIndexOf(')') + 1).split(' ')[2]);
    // Only a process in the container's own group is the container's.
    const own = known.cgroup !== '' && readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(known.cgroup);
    if (!own) return undefined;
    return { ...known, pid, ticks: startTicks(pid), monitorPid };
  } catch {
    return undefined;
  }
}

/** What a file of ours in a bundle says; undefined when it is missing or was cut off. */
function saidIn<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** Opens the service; makes its directories. */
export function openTaskService(options: TaskServiceOptions): TaskService {
  return new ConmonTaskService(options);
}
