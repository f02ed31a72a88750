import { WharfError } from '../../../base/index.ts';
import { filterText, pruneVolumes } from '../../../client/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { flag } from '../../flags.ts';
import { prune, pruneFlags } from '../../prune.ts';
import { filtersOf } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Remove unused local volumes',
  flags: pruneFlags('Provide filter values (e.g. "label=<label>")', [
    flag('a,all', 'bool', 'Remove all unused volumes, not just anonymous ones'),
  ]),
  arity: NO_OPERANDS,
  run(context, flags) {
    const all = flags.bool('all');
    if (all && filtersOf(flags.list('filter'))['all'])
      throw new WharfError('invalid', 'conflicting options: cannot specify both --all and --filter all=1');
    return prune(context, flags, {
      kind: 'volumes',
      warning: `WARNING! This will remove ${all ? 'all' : 'anonymous'} local volumes not used by at least one container.\n`,
      query: { all },
      work: async (filters) => [
        await pruneVolumes(context.client(), filterText({ ...filters, ...(all ? { all: ['true'] } : {}) })),
      ],
    });
  },
};
