import { closeSync, constants, existsSync, openSync, writeSync } from 'node:fs';
import { appendFile, mkdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { WharfError } from '../base/index.ts';
import {
  cgroupPaths,
  cgroupPids,
  detectCgroups,
  openPidfd,
  pidfdSendSignal,
  processStartTicks,
  removeCgroup,
  spawnProcess,
} from '../sys/index.ts';
import { programFailure } from './failure.ts';
import { type Monitored, startMonitor } from './monitor.ts';
import type { OciResources } from './spec-types.ts';
import { readCgroupStats } from './stats.ts';
import { attachStdio } from './stdio.ts';
import type { ExecRequest, ExecTask, RuntimeBinary, Task, TaskExit, TaskStdio } from './types.ts';

/** What a bundle remembers of its task, for the next daemon. */
export interface TaskState {
  id: string;
  pid: number;
  /** Start time of that process in clock ticks, so that a reused pid is never believed. */
  ticks: string;
  cgroup: string;
}

/** Where a task's files lie. */
export interface TaskPlace {
  bundle: string;
  exits: string;
  runtimeRoot: string;
  conmon: string;
  runtime: RuntimeBinary;
}

/** Reads the exit file of a monitor that has ended; without one the code is lost and the process is killed. */
export async function readExit(
  dir: string,
  name: string,
  bundle: string,
  state: Pick<TaskState, 'pid' | 'ticks'>,
): Promise<TaskExit> {
  const file = `${dir}/${name}`;
  try {
    const [text, { mtimeNs }] = await Promise.all([readFile(file, 'utf8'), stat(file, { bigint: true })]);
    return { code: Number(text) & 255, at: mtimeNs, oomKilled: existsSync(`${bundle}/oom`) };
  } catch {
    signalProcess(state, 9);
    return { code: 255, at: BigInt(Date.now()) * 1_000_000n, oomKilled: false, lost: true };
  }
}

/** Signals a process only while it is the one that was started. */
export function signalProcess({ pid, ticks }: Pick<TaskState, 'pid' | 'ticks'>, signal: number): boolean {
  try {
    using pidfd = openPidfd(pid);
    return String(processStartTicks(pid)) === ticks && pidfdSendSignal(pidfd, signal);
  } catch {
    return false;
  }
}

/** Arguments that conmon always gets. */
export function monitorArgs(place: TaskPlace, id: string, bundle: string, exits: string): string[] {
  return [
    ...['--api-version', '1', '-c', id, '-u', id, '-n', id, '-r', place.runtime.path, '-b', bundle],
    ...[
      '-p',
      `${bundle}/pid`,
      '-P',
      `${bundle}/conmon.pid`,
      '--exit-dir',
      exits,
      '-0',
      bundle,
      '--full-attach',
    ],
    ...['--no-sync-log', '--runtime-arg', `--root=${place.runtimeRoot}`],
    ...place.runtime.args.flatMap((arg) => ['--runtime-arg', arg]),
  ];
}

/** Runs the OCI runtime once. Errors: `internal` with its exit code. */
export async function runRuntime(place: TaskPlace, args: string[]): Promise<void> {
  const child = spawnProcess({
    file: place.runtime.path,
    args: [`--root=${place.runtimeRoot}`, ...place.runtime.args, ...args],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    fds: [],
  });
  const { code } = await child.exited;
  if (code !== 0) throw new WharfError('internal', `${place.runtime.name} ${args[0]} failed with ${code}`);
}

/** A task under conmon. */
export class ConmonTask implements Task {
  readonly id: string;
  readonly pid: number;
  readonly exited: Promise<TaskExit>;
  private readonly place: TaskPlace;
  private readonly state: TaskState;
  private finished = false;

  constructor(place: TaskPlace, state: TaskState, ended: Promise<void>) {
    this.place = place;
    this.state = state;
    this.id = state.id;
    this.pid = state.pid;
    this.exited = ended.then(async () => {
      const exit = await readExit(place.exits, state.id, place.bundle, state);
      this.finished = true;
      return exit;
    });
  }

  async start(): Promise<void> {
    const fifo = `${this.place.runtimeRoot}/${this.id}/exec.fifo`;
    if (this.place.runtime.name !== 'crun' || !existsSync(fifo))
      return runRuntime(this.place, ['start', this.id]);
    // crun's init waits for one byte on its fifo (crun 1.x, `status.c`); the open fails when nobody reads.
    const fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      await unlink(fifo);
      writeSync(fd, Buffer.alloc(1));
    } finally {
      closeSync(fd);
    }
  }

  async attach() {
    return attachStdio(`${this.place.bundle}/attach`);
  }

  async resize(height: number, width: number): Promise<void> {
    await appendFile(`${this.place.bundle}/ctl`, `1 ${height} ${width}\n`);
  }

  async kill(signal: number, options: { all?: boolean } = {}): Promise<void> {
    if (options.all) {
      for (const pid of await this.pids())
        signalProcess({ pid, ticks: String(processStartTicks(pid)) }, signal);
      return;
    }
    if (this.finished || !signalProcess(this.state, signal))
      throw new WharfError('not-found', `the process of container ${this.id} has ended`);
  }

  async pause(): Promise<void> {
    await this.freeze(true);
  }

  async resume(): Promise<void> {
    await this.freeze(false);
  }

  private async freeze(on: boolean): Promise<void> {
    const hierarchy = detectCgroups();
    const paths = cgroupPaths(hierarchy, this.state.cgroup);
    const freezer = paths.get('freezer');
    if (hierarchy.version === 1 && freezer)
      return writeFile(`${freezer}/freezer.state`, on ? 'FROZEN' : 'THAWED');
    const unified = [...paths.values()][0];
    if (!unified) throw new WharfError('not-implemented', 'this host has no cgroup freezer');
    await writeFile(`${unified}/cgroup.freeze`, on ? '1' : '0');
  }

  async update(resources: OciResources): Promise<void> {
    const file = `${this.place.bundle}/update.json`;
    await writeFile(file, JSON.stringify(resources));
    await runRuntime(this.place, ['update', '--resources', file, this.id]);
  }

  async exec(request: ExecRequest, options: { attach: boolean }): Promise<ExecTask> {
    return execTask(this.place, this.id, request, options.attach);
  }

  async pids(): Promise<number[]> {
    return cgroupPids(detectCgroups(), this.state.cgroup);
  }

  async stats() {
    return this.finished ? undefined : readCgroupStats(detectCgroups(), this.state.cgroup);
  }

  async delete(): Promise<void> {
    await runRuntime(this.place, ['delete', '--force', this.id]).catch(() => {});
    await rm(`${this.place.runtimeRoot}/${this.id}`, { recursive: true, force: true });
    await rm(this.place.bundle, { recursive: true, force: true });
    await rm(`${this.place.exits}/${this.id}`, { force: true });
    removeCgroup(detectCgroups(), this.state.cgroup);
  }
}

async function execTask(
  place: TaskPlace,
  id: string,
  request: ExecRequest,
  attach: boolean,
): Promise<ExecTask> {
  const bundle = `${place.bundle}/exec-${request.execId}`;
  await mkdir(bundle, { recursive: true, mode: 0o700 });
  const spec = `${bundle}/process.json`;
  await writeFile(spec, JSON.stringify(request.process));
  const args = [...monitorArgs(place, id, bundle, bundle), '-e', '--exec-process-spec', spec, '-l', 'none'];
  if (request.process.terminal) args.push('-t');
  if (request.openStdin) args.push('-i');
  if (attach) args.push('--exec-attach');
  let stdio: TaskStdio | undefined;
  const onAttachable = () => {
    stdio = attachStdio(`${bundle}/attach`);
  };
  let monitored: Monitored;
  try {
    monitored = await startMonitor(place.conmon, args, attach ? onAttachable : undefined);
  } catch (thrown) {
    await rm(bundle, { recursive: true, force: true });
    throw programFailure((thrown as Error).message, request.process.args[0] ?? '', 'exec');
  }
  const state = { pid: monitored.pid, ticks: String(processStartTicks(monitored.pid)) };
  const exited = monitored.ended.then(async () => {
    const exit = await readExit(bundle, id, bundle, state);
    await rm(bundle, { recursive: true, force: true });
    return exit;
  });
  return {
    execId: request.execId,
    pid: monitored.pid,
    exited,
    stdio,
    resize: (height, width) => appendFile(`${bundle}/ctl`, `1 ${height} ${width}\n`),
    kill: (signal) => void signalProcess(state, signal),
  };
}
