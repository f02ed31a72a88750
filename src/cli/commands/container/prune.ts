import { filterText, pruneContainers } from '../../../client/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { prune, pruneFlags } from '../../prune.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Remove all stopped containers',
  flags: pruneFlags('Provide filter values (e.g. "until=<timestamp>")'),
  arity: NO_OPERANDS,
  run: (context, flags) =>
    prune(context, flags, {
      kind: 'containers',
      warning: 'WARNING! This will remove all stopped containers.\n',
      work: async (filters) => [await pruneContainers(context.client(), filterText(filters))],
    }),
};
