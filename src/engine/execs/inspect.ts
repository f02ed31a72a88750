import { deadline, WharfError } from '../../base/index.ts';
import type { ExecRegistry } from './registry.ts';
import { findExec } from './start.ts';

/** As long as Docker waits for an exec that is being started. */
const READY_MS = 10_000;

/** The document of `GET /exec/{id}/json`. Errors: `not-found`. */
export async function inspectExec(
  deps: { execs: ExecRegistry },
  id: string,
): Promise<Record<string, unknown>> {
  const exec = findExec(deps.execs, id);
  const { plan } = exec;
  const [entrypoint = '', ...args] = plan.command;
  return {
    ID: exec.id,
    Running: exec.state === 'running',
    ExitCode: exec.exitCode,
    ProcessConfig: {
      tty: plan.tty,
      entrypoint,
      arguments: args,
      privileged: plan.privileged,
      ...(plan.user ? { user: plan.user } : {}),
    },
    OpenStdin: plan.attachStdin,
    OpenStderr: plan.attachStderr,
    OpenStdout: plan.attachStdout,
    CanRemove: false,
    ContainerID: plan.containerId,
    // Go writes bytes in base64.
    DetachKeys: plan.ownDetachKeys ? plan.detachKeys.toString('base64') : '',
    Pid: exec.pid,
  };
}

/** Sets the size of an exec's terminal. One that is being started is waited for. Errors: `not-found` (also when it has ended), `invalid` when it could not start, `internal` when it does not start. */
export async function resizeExec(
  deps: { execs: ExecRegistry; readyMs?: number },
  id: string,
  size: { height: number; width: number },
): Promise<void> {
  const exec = findExec(deps.execs, id);
  const task = await deadline(deps.readyMs ?? READY_MS, 'exec start', exec.started).catch((thrown) => {
    throw new WharfError('internal', 'timeout waiting for exec session ready', { cause: thrown });
  });
  if (!task) throw new WharfError('invalid', 'exec process is not started');
  if (exec.state === 'ended') {
    throw new WharfError('not-found', `NotFound: process does not exist ${id}: not found`);
  }
  await task.resize(size.height, size.width);
}
