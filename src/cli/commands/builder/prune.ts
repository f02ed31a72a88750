import { filterText, pruneBuildCache } from '../../../client/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { flag } from '../../flags.ts';
import { prune, pruneFlags } from '../../prune.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Remove build cache',
  flags: pruneFlags('Provide filter values (e.g. "until=24h")', [
    flag('a,all', 'bool', 'Remove all unused build cache, not just dangling ones'),
    flag('keep-storage', 'bytes', 'Amount of disk space to keep for cache'),
  ]),
  arity: NO_OPERANDS,
  run(context, flags) {
    const all = flags.bool('all');
    return prune(context, flags, {
      kind: 'builder',
      warning: `WARNING! This will remove all ${all ? '' : 'dangling '}build cache. `,
      query: { all },
      work: async (filters) => [
        await pruneBuildCache(context.client(), {
          all,
          'keep-storage': flags.number('keep-storage') || undefined,
          filters: filterText(filters),
        }),
      ],
    });
  },
};
