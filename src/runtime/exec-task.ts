import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { isKind } from '../base/index.ts';
import { anticipateMove } from './anticipate.ts';
import { programFailure } from './failure.ts';
import { resizeTerminal } from './fifo.ts';
import { type Monitored, startMonitor } from './monitor.ts';
import { attachStdio } from './stdio.ts';
import { lostExit, readExit } from './task-exit.ts';
import { monitorArgs, signalProcess, startTicks, type TaskPlace, type TaskState } from './task-place.ts';
import type { ExecRequest, ExecTask, OutputFrame, TaskExit, TaskStdio } from './types.ts';
import { findUnrunnable } from './unrunnable.ts';

/** Runs one more process in a container, under a monitor of its own. Errors: as `Task.start`; nothing is left then. */
export async function execTask(
  place: TaskPlace,
  container: TaskState,
  request: ExecRequest,
  attach: boolean,
): Promise<ExecTask> {
  anticipateMove();
  const refused = findUnrunnable(place.runtime, container.pid, request.process);
  if (refused) return refusedExec(request, attach, `exec ${refused.program}: ${refused.reason}\n`);
  const { id } = container;
  const { consoleSize, execId, openStdin } = request;
  const bundle = `${place.bundle}/exec-${execId}`;
  mkdirSync(bundle, { recursive: true, mode: 0o700 });
  const spec = `${bundle}/process.json`;
  const { terminal } = request.process;
  const process = terminal && consoleSize ? { ...request.process, consoleSize } : request.process;
  writeFileSync(spec, JSON.stringify(process), { mode: 0o600 });
  const args = [...monitorArgs(place, id, bundle, bundle), '-e', '--exec-process-spec', spec, '-l', 'none'];
  // Otherwise its stdin would be the host's own /dev/null, whose owner and mode it could change (and crun 1.8 gives it away).
  const emptyStdin = !terminal && !openStdin;
  if (terminal) args.push('-t');
  if (openStdin || emptyStdin) args.push('-i');
  if (attach || emptyStdin) args.push('--exec-attach');
  let stdio: TaskStdio | undefined;
  const onAttachable = () => {
    const attached = attachStdio(`${bundle}/attach`);
    if (emptyStdin) attached.closeInput();
    if (attach) stdio = attached;
    else attached.close();
  };
  let monitored: Monitored;
  try {
    const start = { conmon: place.conmon, args, cwd: bundle, answerLimit: place.answerLimit };
    monitored = await startMonitor(attach || emptyStdin ? { ...start, onAttachable } : start);
  } catch (thrown) {
    (stdio as TaskStdio | undefined)?.close();
    await rm(bundle, { recursive: true, force: true });
    if (!isKind(thrown, 'internal')) throw thrown;
    const view = { root: `/proc/${container.pid}/root`, mounts: [] };
    throw programFailure({ text: (thrown as Error).message, process, view, step: 'exec' });
  }
  const state = { pid: monitored.pid, ticks: startTicks(monitored.pid) };
  return {
    execId,
    pid: monitored.pid,
    exited: monitored.ended.then(() => execExit(bundle, id, state)),
    stdio,
    resize: async (height, width) => resizeTerminal(bundle, height, width),
    kill: (signal) => void signalProcess(state, signal),
  };
}

async function execExit(
  bundle: string,
  id: string,
  state: Pick<TaskState, 'pid' | 'ticks'>,
): Promise<TaskExit> {
  const exit = await readExit(`${bundle}/${id}`, bundle).catch(() => undefined);
  if (!exit) signalProcess(state, 9);
  await rm(bundle, { recursive: true, force: true }).catch(() => {});
  return exit ?? lostExit();
}

/** An exec whose program the kernel refuses, as other runtimes show it: it began, told why on stderr, and ended with 255. */
function refusedExec(request: ExecRequest, attach: boolean, text: string): ExecTask {
  const stream = request.process.terminal ? 'stdout' : 'stderr';
  const data = Buffer.from(request.process.terminal ? text.replace('\n', '\r\n') : text);
  const output = (async function* (): AsyncGenerator<OutputFrame> {
    yield { stream, data };
  })();
  const stdio: TaskStdio = { output, write: async () => {}, closeInput: () => {}, close: () => {} };
  return {
    execId: request.execId,
    pid: 0,
    exited: Promise.resolve({ code: 255, at: BigInt(Date.now()) * 1_000_000n, oomKilled: false }),
    stdio: attach ? stdio : undefined,
    resize: async () => {},
    kill: () => {},
  };
}
