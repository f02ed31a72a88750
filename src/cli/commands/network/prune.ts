import { filterText, pruneNetworks } from '../../../client/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { prune, pruneFlags } from '../../prune.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Remove all unused networks',
  flags: pruneFlags('Provide filter values (e.g. "until=<timestamp>")'),
  arity: NO_OPERANDS,
  run: (context, flags) =>
    prune(context, flags, {
      kind: 'networks',
      warning: 'WARNING! This will remove all custom networks not used by at least one container.\n',
      work: async (filters) => [await pruneNetworks(context.client(), filterText(filters))],
    }),
};
