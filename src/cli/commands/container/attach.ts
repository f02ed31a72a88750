import { WharfError } from '../../../base/index.ts';
import {
  attachContainer,
  inspectContainer,
  postContainer,
  resizeContainer,
  waitContainer,
} from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';
import { carry, checkTty, followSize, provokeRedraw, proxySignals } from '../../session.ts';
import { detachKeysFlag } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] CONTAINER',
  summary: 'Attach local standard input, output, and error streams to a running container',
  flags: [
    detachKeysFlag,
    flag('no-stdin', 'bool', 'Do not attach STDIN'),
    flag('sig-proxy', 'bool', 'Proxy all received signals to the process', { default: true }),
  ],
  arity: exactly(1),
  completes: 'running',
  async run(context, flags) {
    const client = context.client();
    const { Id: id, Config, State } = await inspectContainer(client, flags.operands[0] ?? '');
    if (!State.Running)
      throw new WharfError('conflict', 'cannot attach to a stopped container, start it first');
    if (State.Paused)
      throw new WharfError('conflict', 'cannot attach to a paused container, unpause it first');
    if (State.Restarting)
      throw new WharfError('conflict', 'cannot attach to a restarting container, wait until it is running');
    const input = !flags.bool('no-stdin') && Config.OpenStdin;
    checkTty(context, input, Config.Tty);
    const detachKeys = flags.string('detach-keys') || context.config().detachKeys || '';
    const waiting = await waitContainer(client, id);
    waiting.exit.catch(() => undefined);
    const hijacked = await attachContainer(client, id, {
      stream: true,
      stdin: input,
      stdout: true,
      stderr: true,
      detachKeys: detachKeys || undefined,
    });
    const stopProxy =
      flags.bool('sig-proxy') && !Config.Tty
        ? proxySignals(context, (signal) => postContainer(client, id, 'kill', { signal }))
        : () => undefined;
    const resize = (size: { rows: number; columns: number }) => resizeContainer(client, id, size);
    if (Config.Tty) await provokeRedraw(context, resize);
    const stopSize = Config.Tty ? followSize(context, resize) : () => undefined;
    try {
      if ((await carry(hijacked, context, { tty: Config.Tty, input, detachKeys })) === 'detached') {
        context.warn('read escape sequence\n');
        return 1;
      }
      return (await waiting.exit).StatusCode;
    } finally {
      stopProxy();
      stopSize();
    }
  },
};
