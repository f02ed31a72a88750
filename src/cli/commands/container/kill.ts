import { postContainer } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { forEachAtOnce } from '../../each.ts';
import { flag } from '../../flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Kill one or more running containers',
  flags: [flag('s,signal', 'string', 'Signal to send to the container')],
  arity: atLeast(1),
  completes: 'running',
  run: (context, flags) =>
    forEachAtOnce(context, flags.operands, (id) =>
      postContainer(context.client(), id, 'kill', { signal: flags.string('signal') || undefined }),
    ),
};
