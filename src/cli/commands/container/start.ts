import { WharfError } from '../../../base/index.ts';
import {
  attachContainer,
  inspectContainer,
  postContainer,
  resizeContainer,
  waitContainer,
} from '../../../client/index.ts';
import { atLeast, type CommandSpec, type Context, ExitError } from '../../command.ts';
import { describeError } from '../../errors.ts';
import { flag, type ParsedFlags } from '../../flags.ts';
import { exitCode } from '../../run/exit-code.ts';
import { carry, followSize, proxySignals } from '../../session.ts';
import { detachKeysFlag } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Start one or more stopped containers',
  flags: [
    flag('a,attach', 'bool', 'Attach STDOUT/STDERR and forward signals'),
    detachKeysFlag,
    flag('i,interactive', 'bool', "Attach container's STDIN"),
  ],
  arity: atLeast(1),
  completes: 'containers',
  async run(context, flags) {
    if (flags.bool('attach') || flags.bool('interactive')) {
      if (flags.operands.length > 1)
        throw new WharfError('invalid', 'you cannot start and attach multiple containers at once');
      return startAttached(context, flags, flags.operands[0] ?? '');
    }
    const failed: string[] = [];
    for (const id of flags.operands) {
      try {
        await postContainer(context.client(), id, 'start');
        context.print(`${id}\n`);
      } catch (thrown) {
        context.warn(`${describeError(thrown)}\n`);
        failed.push(id);
      }
    }
    if (failed.length > 0) throw new ExitError(1, `Error: failed to start containers: ${failed.join(', ')}`);
    return 0;
  },
};

async function startAttached(context: Context, flags: ParsedFlags, name: string): Promise<number> {
  const client = context.client();
  const { Id: id, Config, HostConfig } = await inspectContainer(client, name);
  const detachKeys = flags.string('detach-keys') || context.config().detachKeys || '';
  const input = flags.bool('interactive') && Config.OpenStdin;
  const [hijacked, waiting] = await Promise.all([
    attachContainer(client, id, {
      stream: true,
      stdin: input,
      stdout: true,
      stderr: true,
      detachKeys: detachKeys || undefined,
    }),
    waitContainer(client, id, HostConfig.AutoRemove ? 'removed' : 'next-exit'),
  ]);
  waiting.exit.catch(() => undefined);
  const stopProxy = Config.Tty
    ? () => undefined
    : proxySignals(context, (signal) => postContainer(client, id, 'kill', { signal }));
  const session = carry(hijacked, context, { tty: Config.Tty, input, detachKeys });
  session.catch(() => undefined);
  let stopSize = () => {};
  try {
    await postContainer(client, id, 'start').catch((thrown: unknown) => {
      hijacked.socket.destroy();
      throw thrown;
    });
    if (Config.Tty) stopSize = followSize(context, (size) => resizeContainer(client, id, size));
    if ((await session) === 'detached') return 0;
    return await exitCode(context, waiting.exit);
  } finally {
    stopProxy();
    stopSize();
  }
}
