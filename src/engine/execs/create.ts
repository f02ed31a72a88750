import type { ExecCreateRequest } from '../../api/index.ts';
import { newId, WharfError } from '../../base/index.ts';
import { parseDetachKeys, publishContainerEvent } from '../containers/index.ts';
import { type ExecDeps, processForExec, taskForExec } from './process.ts';
import { Exec, type ExecRegistry } from './registry.ts';

/** Makes an exec, to be started by its id. Errors: `invalid` (no command, user, detach keys), `conflict` when the container does not run. */
export async function createExec(
  deps: ExecDeps & { execs: ExecRegistry },
  ref: string,
  input: ExecCreateRequest,
): Promise<{ id: string }> {
  const command = input.Cmd ?? [];
  if (command.length === 0) throw new WharfError('invalid', 'No exec command specified');
  const record = deps.store.resolve(ref);
  taskForExec(deps, record, ref);
  const detachKeys = parseDetachKeys(input.DetachKeys, 'escape');
  const [height, width] = input.ConsoleSize ?? [];
  const process = processForExec(deps, record, {
    args: command,
    env: input.Env ?? [],
    user: input.User ?? '',
    cwd: input.WorkingDir ?? '',
    tty: input.Tty === true,
    privileged: input.Privileged === true,
    ...(height && width ? { consoleSize: { height, width } } : {}),
  });
  const exec = new Exec(newId(), {
    containerId: record.id,
    command,
    process,
    tty: input.Tty === true,
    attachStdin: input.AttachStdin === true,
    attachStdout: input.AttachStdout === true,
    attachStderr: input.AttachStderr === true,
    privileged: input.Privileged === true,
    user: input.User ?? '',
    detachKeys,
    ownDetachKeys: Boolean(input.DetachKeys),
  });
  if (deps.execs.add(exec)) {
    const forget = () => deps.execs.forgetContainer(record.id);
    deps.live.of(record.id).addWaiter('removed', forget);
  }
  publishContainerEvent(deps.events, record, execAction('exec_create', command), { execID: exec.id });
  return { id: exec.id };
}

/** `exec_start: sh -c ls`: the program, a blank, its arguments, as Docker joins them. */
export function execAction(action: 'exec_create' | 'exec_start', command: readonly string[]): string {
  const [program = '', ...args] = command;
  return `${action}: ${program} ${args.join(' ')}`;
}
