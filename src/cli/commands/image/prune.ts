import { filterText, pruneImages } from '../../../client/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { flag } from '../../flags.ts';
import { prune, pruneFlags } from '../../prune.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Remove unused images',
  flags: pruneFlags('Provide filter values (e.g. "until=<timestamp>")', [
    flag('a,all', 'bool', 'Remove all unused images, not just dangling ones'),
  ]),
  arity: NO_OPERANDS,
  run(context, flags) {
    const all = flags.bool('all');
    const what = all ? 'all images without at least one container associated to them' : 'all dangling images';
    return prune(context, flags, {
      kind: 'images',
      warning: `WARNING! This will remove ${what}.\n`,
      query: { all },
      work: async (filters) => [
        await pruneImages(context.client(), filterText({ ...filters, dangling: [String(!all)] })),
      ],
    });
  },
};
