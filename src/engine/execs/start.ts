import { WharfError } from '../../base/index.ts';
import type { ExecTask, Task, TaskExit } from '../../runtime/types.ts';
import {
  type ContainerRecord,
  type OutputChunk,
  programErrorText,
  publishContainerEvent,
  type StdioSession,
} from '../containers/index.ts';
import { execAction } from './create.ts';
import { type ExecDeps, taskForExec } from './process.ts';
import type { Exec, ExecRegistry } from './registry.ts';

const OCI_PREFIX = 'OCI runtime exec failed: exec failed: ';
const SETUP = 'unable to start container process: ';
/** Exit codes as the reference gives them, by what stood in the way; all else is "not executable". */
const EXIT_CODES: readonly [RegExp, number][] = [
  [/executable file not found|no such file or directory|not a directory/i, 127],
  [/too many levels of symbolic links/i, 128],
];

type StartDeps = ExecDeps & { execs: ExecRegistry };

/**
 * Runs an exec once; undefined when `detach`. A program that can't be run is an error for a detached one; an attached
 * client reads it in its stream, and finds 126 or 127 as exit code. Errors: `not-found`, `conflict` when it has been
 * started or the container does not run.
 */
export async function startExec(
  deps: StartDeps,
  execId: string,
  input: { detach: boolean; tty: boolean; consoleSize?: { height: number; width: number } },
  signal: AbortSignal,
): Promise<StdioSession | undefined> {
  const exec = findExec(deps.execs, execId);
  if (exec.state !== 'created') {
    const why = exec.state === 'running' ? 'is already running' : 'has already run';
    throw new WharfError('conflict', `exec command ${execId} ${why}`);
  }
  const record = deps.store.resolve(exec.plan.containerId);
  const task = taskForExec(deps, record, record.id);
  deps.execs.begin(exec);
  publishContainerEvent(deps.events, record, execAction('exec_start', exec.plan.command), {
    execID: exec.id,
  });
  let run: { task: ExecTask; ended: Promise<TaskExit> };
  try {
    run = await runExec(deps, exec, record, task, input);
  } catch (thrown) {
    const error = failExec(deps.execs, exec, thrown);
    if (input.detach) throw error;
    return failedSession(exec, error.message);
  }
  return input.detach ? undefined : session(deps, exec, record, run, signal);
}

/** Errors: `not-found` with Docker's text. */
export function findExec(execs: ExecRegistry, id: string): Exec {
  const exec = execs.get(id);
  if (!exec) throw new WharfError('not-found', `No such exec instance: ${id}`);
  return exec;
}

/** Runs it and records its end; `ended` resolves after that, so that whoever saw the end finds the exit code. */
async function runExec(
  deps: StartDeps,
  exec: Exec,
  record: ContainerRecord,
  task: Task,
  input: { detach: boolean; consoleSize?: { height: number; width: number } },
): Promise<{ task: ExecTask; ended: Promise<TaskExit> }> {
  const request = {
    execId: exec.id,
    process: exec.plan.process,
    openStdin: exec.plan.attachStdin && !input.detach,
    ...(input.consoleSize ? { consoleSize: input.consoleSize } : {}),
  };
  const running = await task.exec(request, { attach: !input.detach });
  exec.pid = running.pid;
  exec.settleStarted(running);
  const ended = running.exited.then((exit) => {
    exec.state = 'ended';
    exec.exitCode = exit.code;
    deps.execs.expire(exec);
    publishContainerEvent(deps.events, record, 'exec_die', { execID: exec.id, exitCode: String(exit.code) });
    return exit;
  });
  return { task: running, ended };
}

function failExec(execs: ExecRegistry, exec: Exec, thrown: unknown): WharfError {
  const { message, exitCode } = execFailure(thrown, exec.plan.command[0] ?? '');
  exec.state = 'ended';
  exec.exitCode = exitCode;
  exec.settleStarted(undefined);
  execs.expire(exec);
  return new WharfError('invalid', message, { cause: thrown });
}

/** Docker's text and exit code for an exec that could not be run. */
export function execFailure(thrown: unknown, program: string): { message: string; exitCode: number } {
  const text = programErrorText(WharfError.from(thrown), program, SETUP);
  const message = text.startsWith('OCI runtime exec failed') ? text : `${OCI_PREFIX}${text}`;
  return { message, exitCode: EXIT_CODES.find(([pattern]) => pattern.test(message))?.[1] ?? 126 };
}

function failedSession(exec: Exec, message: string): StdioSession {
  const text: OutputChunk = { stream: 'stdout', data: Buffer.from(`${message}\r\n`) };
  const output = (async function* () {
    yield text;
  })();
  const { tty, detachKeys } = exec.plan;
  return { tty, output, input: undefined, detachKeys, detach: () => undefined, close: () => undefined };
}

function session(
  deps: StartDeps,
  exec: Exec,
  record: ContainerRecord,
  run: { task: ExecTask; ended: Promise<TaskExit> },
  signal: AbortSignal,
): StdioSession {
  const { plan } = exec;
  const { stdio } = run.task;
  const closed = new AbortController();
  const close = () => {
    signal.removeEventListener('abort', close);
    closed.abort();
    stdio?.close();
  };
  signal.addEventListener('abort', close, { once: true });
  // The client may have gone while the process was made.
  if (signal.aborted) close();
  const input = {
    write: async (data: Uint8Array) => {
      await stdio?.write(data);
    },
    end: () => stdio?.closeInput(),
  };
  return {
    tty: plan.tty,
    output: outputOf(exec, run, closed.signal, close),
    input: plan.attachStdin ? input : undefined,
    detachKeys: plan.detachKeys,
    detach: () => {
      publishContainerEvent(deps.events, record, 'exec_detach', { execID: exec.id });
      close();
    },
    close,
  };
}

async function* outputOf(
  exec: Exec,
  run: { task: ExecTask; ended: Promise<TaskExit> },
  closed: AbortSignal,
  close: () => void,
): AsyncGenerator<OutputChunk> {
  const { attachStdout, attachStderr } = exec.plan;
  try {
    for await (const frame of run.task.stdio?.output ?? []) {
      if (frame.stream === 'stdout' ? attachStdout : attachStderr) yield frame;
    }
    // Closed by the client: the process goes on, and there is nothing to wait for.
    if (!closed.aborted) await run.ended;
  } finally {
    close();
  }
}
