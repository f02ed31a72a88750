import { waitContainer } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { forEachAtOnce } from '../../each.ts';

export const command: CommandSpec = {
  usage: 'CONTAINER [CONTAINER...]',
  summary: 'Block until one or more containers stop, then print their exit codes',
  flags: [],
  arity: atLeast(1),
  completes: 'containers',
  run: (context, flags) =>
    forEachAtOnce(context, flags.operands, async (id) => {
      const { exit } = await waitContainer(context.client(), id);
      return String((await exit).StatusCode);
    }),
};
