import { newId } from '../../base/index.ts';
import type { ExecTask } from '../../runtime/types.ts';
import {
  type ContainerRecord,
  type CoreDeps,
  PROBE_OUTPUT,
  type ProbeResult,
  publishContainerEvent,
  type RunDeps,
  startHealth,
} from '../containers/index.ts';
import { execAction } from './create.ts';
import { type ExecDeps, processForExec, taskForExec } from './process.ts';
import { execFailure } from './start.ts';

/** Binds the health probes of containers to execs: what `RunDeps.monitorHealth` wants. */
export function healthMonitor(deps: ExecDeps & Pick<CoreDeps, 'clock'>): RunDeps['monitorHealth'] {
  const probe = (record: ContainerRecord, args: string[], signal: AbortSignal) =>
    runProbe(deps, record, args, signal);
  return (record, adopted) => startHealth({ ...deps, probe }, record, adopted);
}

/** Runs one health probe in a container and keeps the first 4,096 bytes of what it prints. The signal kills it. */
export async function runProbe(
  deps: ExecDeps,
  record: ContainerRecord,
  args: string[],
  signal: AbortSignal,
): Promise<ProbeResult> {
  const task = taskForExec(deps, record, record.id);
  const choices = { args, env: [], user: '', cwd: '', tty: false, privileged: false };
  const process = processForExec(deps, record, choices);
  const execId = newId();
  publishContainerEvent(deps.events, record, execAction('exec_create', args), { execID: execId });
  publishContainerEvent(deps.events, record, execAction('exec_start', args), { execID: execId });
  let exec: ExecTask;
  try {
    exec = await task.exec({ execId, process, openStdin: false }, { attach: true });
  } catch (thrown) {
    return { exitCode: -1, output: execFailure(thrown, args[0] ?? '').message };
  }
  const kill = () => exec.kill(9);
  if (signal.aborted) kill();
  signal.addEventListener('abort', kill, { once: true });
  try {
    // Read in step with the process: what it prints must not block it. A child that holds the output open is not waited for.
    const collected = new LimitedText(PROBE_OUTPUT);
    const reading = collected.readAll(exec);
    const exit = await exec.exited;
    await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, 100).unref())]);
    const ended = { execID: execId, exitCode: String(exit.code) };
    publishContainerEvent(deps.events, record, 'exec_die', ended);
    return { exitCode: exit.code, output: collected.text() };
  } finally {
    signal.removeEventListener('abort', kill);
    exec.stdio?.close();
  }
}

class LimitedText {
  private readonly parts: Buffer[] = [];
  private kept = 0;
  private cut = false;
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  async readAll(exec: ExecTask): Promise<void> {
    for await (const frame of exec.stdio?.output ?? []) this.add(frame.data);
  }

  text(): string {
    return Buffer.concat(this.parts).toString('utf8') + (this.cut ? '...' : '');
  }

  private add(data: Buffer): void {
    const room = this.limit - this.kept;
    if (data.length > room) this.cut = true;
    const part = data.subarray(0, room);
    this.kept += part.length;
    if (part.length > 0) this.parts.push(Buffer.from(part));
  }
}
