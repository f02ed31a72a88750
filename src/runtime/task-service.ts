import { mkdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { isKind, type Logger, WharfError } from '../base/index.ts';
import { openPidfd, pidfdExited, processStartTicks } from '../sys/index.ts';
import { programFailure } from './failure.ts';
import { type Monitored, startMonitor } from './monitor.ts';
import { ConmonTask, monitorArgs, runRuntime, type TaskPlace, type TaskState } from './task.ts';
import type { RuntimeBinary, Task, TaskRequest, TaskService } from './types.ts';

/** Where the service works and what it reports to. */
export interface TaskServiceOptions {
  /** Below it lie `bundles`, `exits`, `runtime/<name>`. On a tmpfs best. */
  execRoot: string;
  conmonPath: string;
  log: Logger;
}

const ID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

class ConmonTaskService implements TaskService {
  private readonly options: TaskServiceOptions;

  constructor(options: TaskServiceOptions) {
    this.options = options;
    for (const dir of ['bundles', 'exits', 'runtime'])
      mkdirSync(`${options.execRoot}/${dir}`, { recursive: true, mode: 0o700 });
  }

  private place(id: string, runtime: RuntimeBinary): TaskPlace {
    if (!ID.test(id)) throw new WharfError('invalid', `${id} is no id of a task`);
    const { execRoot, conmonPath } = this.options;
    return {
      bundle: `${execRoot}/bundles/${id}`,
      exits: `${execRoot}/exits`,
      runtimeRoot: `${execRoot}/runtime/${runtime.name}`,
      conmon: conmonPath,
      runtime,
    };
  }

  async create(request: TaskRequest): Promise<Task> {
    const { id, runtime, spec } = request;
    const place = this.place(id, runtime);
    await mkdir(place.bundle, { recursive: true, mode: 0o700 });
    await writeFile(`${place.bundle}/config.json`, JSON.stringify(spec));
    await writeFile(`${place.bundle}/runtime.json`, JSON.stringify(runtime));
    const log = request.logPath ? `k8s-file:${request.logPath}` : 'none';
    const args = [...monitorArgs(place, id, place.bundle, place.exits), '-l', log];
    if (request.terminal) args.push('-t');
    if (request.openStdin) args.push('-i');
    if (request.openStdin && !request.stdinOnce) args.push('--leave-stdin-open');
    let monitored: Monitored;
    try {
      monitored = await startMonitor(place.conmon, args);
    } catch (thrown) {
      await runRuntime(place, ['delete', '--force', id]).catch(() => {});
      await rm(place.bundle, { recursive: true, force: true });
      await rm(`${place.exits}/${id}`, { force: true });
      throw programFailure((thrown as Error).message, spec.process?.args[0] ?? '', 'create');
    }
    const ticks = String(processStartTicks(monitored.pid));
    const state: TaskState = { id, pid: monitored.pid, ticks, cgroup: spec.linux.cgroupsPath ?? '' };
    await writeFile(`${place.bundle}/task.json`, JSON.stringify(state));
    return new ConmonTask(place, state, monitored.ended);
  }

  async adopt(id: string, runtime: RuntimeBinary): Promise<Task | undefined> {
    const place = this.place(id, runtime);
    let state: TaskState;
    try {
      state = JSON.parse(readFileSync(`${place.bundle}/task.json`, 'utf8')) as TaskState;
    } catch {
      return undefined;
    }
    return new ConmonTask(place, state, monitorEnd(place.bundle));
  }

  async leftovers(): Promise<string[]> {
    return readdir(`${this.options.execRoot}/bundles`);
  }

  async purge(id: string): Promise<void> {
    const bundle = `${this.options.execRoot}/bundles/${id}`;
    let runtime: RuntimeBinary;
    try {
      runtime = JSON.parse(readFileSync(`${bundle}/runtime.json`, 'utf8')) as RuntimeBinary;
    } catch {
      await rm(bundle, { recursive: true, force: true });
      return;
    }
    const task = await this.adopt(id, runtime);
    if (task) return task.delete();
    const place = this.place(id, runtime);
    await runRuntime(place, ['delete', '--force', id]).catch(() => {});
    await rm(bundle, { recursive: true, force: true });
  }
}

/** The end of a monitor that an earlier daemon started. */
async function monitorEnd(bundle: string): Promise<void> {
  try {
    const pid = Number(readFileSync(`${bundle}/conmon.pid`, 'utf8'));
    using pidfd = openPidfd(pid);
    // A reused pid would be waited for in vain: only a conmon of this very bundle counts.
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(bundle)) return;
    await pidfdExited(pidfd);
  } catch (thrown) {
    if (!isKind(thrown, 'not-found') && (thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  }
}

/** Opens the service; makes its directories. */
export function openTaskService(options: TaskServiceOptions): TaskService {
  return new ConmonTaskService(options);
}
