import { isKind } from '../../../base/index.ts';
import {
  createExec,
  inspectExec,
  isEngineError,
  resizeExec,
  startExec,
  startExecDetached,
} from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { flag } from '../../flags.ts';
import { keyValues } from '../../run/env-file.ts';
import { carry, checkTty, followSize } from '../../session.ts';
import { detachKeysFlag } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  summary: 'Execute a command in a running container',
  flags: [
    flag('d,detach', 'bool', 'Detached mode: run command in the background'),
    detachKeysFlag,
    flag('e,env', 'list', 'Set environment variables'),
    flag('env-file', 'list', 'Read in a file of environment variables'),
    flag('i,interactive', 'bool', 'Keep STDIN open even if not attached'),
    flag('privileged', 'bool', 'Give extended privileges to the command'),
    flag('t,tty', 'bool', 'Allocate a pseudo-TTY'),
    flag('u,user', 'string', 'Username or UID (format: "<name|uid>[:<group|gid>]")'),
    flag('w,workdir', 'string', 'Working directory inside the container'),
  ],
  arity: atLeast(2),
  interspersed: false,
  completes: 'running',
  async run(context, flags) {
    const client = context.client();
    const [container = '', ...args] = flags.operands;
    const [detach, tty] = [flags.bool('detach'), flags.bool('tty')];
    const input = flags.bool('interactive') && !detach;
    const env = keyValues(flags.list('env-file'), flags.list('env'), context.env);
    if (!detach) checkTty(context, input, tty);
    const detachKeys = flags.string('detach-keys') || context.config().detachKeys || '';
    const size =
      tty && context.stdout.rows ? { ConsoleSize: [context.stdout.rows, context.stdout.columns] } : {};
    const { Id: id } = await createExec(client, container, {
      User: flags.string('user'),
      Privileged: flags.bool('privileged'),
      Tty: tty,
      ...size,
      AttachStdin: input,
      AttachStdout: !detach,
      AttachStderr: !detach,
      ...(detachKeys ? { DetachKeys: detachKeys } : {}),
      Env: env.length > 0 ? env : null,
      WorkingDir: flags.string('workdir'),
      Cmd: args,
    });
    if (detach) {
      await startExecDetached(client, id, { Detach: true, Tty: tty, ...size });
      return 0;
    }
    const hijacked = await startExec(client, id, { Detach: false, Tty: tty, ...size });
    const stopSize = tty ? followSize(context, (now) => resizeExec(client, id, now)) : () => undefined;
    try {
      if ((await carry(hijacked, context, { tty, input, detachKeys })) === 'detached') {
        context.warn('read escape sequence\n');
        return 1;
      }
    } finally {
      stopSize();
    }
    try {
      return (await inspectExec(client, id)).ExitCode ?? 0;
    } catch (thrown) {
      // Docker's client says nothing when the engine died under an exec.
      if (isEngineError(thrown) || !isKind(thrown, 'unavailable')) throw thrown;
      return 255;
    }
  },
};
