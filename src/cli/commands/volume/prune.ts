import { filterText, pruneVolumes } from '../../../client/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { confirmed, pruneFlags } from '../../confirm.ts';
import { flag } from '../../flags.ts';
import { humanSize } from '../../human.ts';
import { filtersOf } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Remove unused local volumes',
  flags: pruneFlags('Provide filter values (e.g. "label=<label>")', [
    flag('a,all', 'bool', 'Remove all unused volumes, not just anonymous ones'),
  ]),
  arity: NO_OPERANDS,
  async run(context, flags) {
    const all = flags.bool('all');
    const warning = `WARNING! This will remove ${all ? 'all' : 'anonymous'} local volumes not used by at least one container.`;
    if (!(await confirmed(context, flags, warning))) return 0;
    const filters = { ...filtersOf(flags.list('filter')), ...(all ? { all: ['true'] } : {}) };
    const report = await pruneVolumes(context.client(), filterText(filters));
    const names = report.VolumesDeleted ?? [];
    if (names.length > 0) context.print(`Deleted Volumes:\n${names.map((name) => `${name}\n`).join('')}\n`);
    context.print(`Total reclaimed space: ${humanSize(report.SpaceReclaimed ?? 0)}\n`);
    return 0;
  },
};
