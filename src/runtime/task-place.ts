import { WharfError } from '../base/index.ts';
import { openPidfd, pidfdSendSignal, processStartTicks, spawnProcess } from '../sys/index.ts';
import { answerDeadline, MONITOR_ENVIRONMENT } from './monitor.ts';
import { runtimeProgram } from './runtime-program.ts';
import type { RuntimeBinary } from './types.ts';

/** What a bundle remembers of its task, for the next daemon. */
export interface TaskState {
  id: string;
  pid: number;
  /** Start time of that process in clock ticks, so that a reused pid is never believed. */
  ticks: string;
  cgroup: string;
  /** Pid of conmon. */
  monitorPid: number;
}

/** Where a task's files lie. */
export interface TaskPlace {
  bundle: string;
  /** Directory with one file for each task that ended, named by its id. */
  exits: string;
  runtimeRoot: string;
  conmon: string;
  runtime: RuntimeBinary;
  /** How long the runtime may take for one step, in milliseconds; 120 s when left out. */
  answerLimit?: number | undefined;
}

/** Arguments that conmon always gets. */
export function monitorArgs(place: TaskPlace, id: string, bundle: string, exits: string): string[] {
  const files = ['-b', bundle, '-p', `${bundle}/pid`, '--exit-dir', exits, '-0', bundle];
  const runtime = [`--root=${place.runtimeRoot}`, ...place.runtime.args];
  return [
    ...['--api-version', '1', '-c', id, '-u', id, '-n', id, '-r', runtimeProgram(place.runtime).path],
    ...[...files, '--full-attach', '--no-sync-log'],
    ...runtime.flatMap((arg) => ['--runtime-arg', arg]),
  ];
}

/** Runs the OCI runtime once. Errors: `internal` with its exit code; `timeout`. */
export async function runRuntime(place: TaskPlace, args: string[]): Promise<void> {
  const child = spawnProcess({
    file: runtimeProgram(place.runtime).path,
    args: [`--root=${place.runtimeRoot}`, ...place.runtime.args, ...args],
    env: MONITOR_ENVIRONMENT,
    cwd: '/',
    fds: [],
    newSession: true,
  });
  using deadline = answerDeadline(child.pid, `runtime ${place.runtime.name}`, place.answerLimit);
  const { code, signal } = await child.exited;
  deadline.throwIfPassed();
  if (code !== 0)
    throw new WharfError(
      'internal',
      `${place.runtime.name} ${args[0]} failed with ${code ?? `signal ${signal}`}`,
    );
}

/** The start time of a process as a bundle remembers it; empty when it is gone. */
export function startTicks(pid: number): string {
  return String(processStartTicks(pid) ?? '');
}

/**
 * Signals a process only while it is the one that was started; false when it has ended. The descriptor comes first: a
 * process that has the right start time after that is the one that it means.
 */
export function signalProcess({ pid, ticks }: Pick<TaskState, 'pid' | 'ticks'>, signal: number): boolean {
  if (pid <= 0 || ticks === '') return false;
  try {
    using pidfd = openPidfd(pid);
    return startTicks(pid) === ticks && pidfdSendSignal(pidfd, signal);
  } catch {
    return false;
  }
}
