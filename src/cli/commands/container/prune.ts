import { filterText, pruneContainers } from '../../../client/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { confirmed, pruneFlags } from '../../confirm.ts';
import { humanSize } from '../../human.ts';
import { filtersOf } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Remove all stopped containers',
  flags: pruneFlags('Provide filter values (e.g. "until=<timestamp>")'),
  arity: NO_OPERANDS,
  async run(context, flags) {
    if (!(await confirmed(context, flags, 'WARNING! This will remove all stopped containers.'))) return 0;
    const report = await pruneContainers(context.client(), filterText(filtersOf(flags.list('filter'))));
    const ids = report.ContainersDeleted ?? [];
    if (ids.length > 0) context.print(`Deleted Containers:\n${ids.map((id) => `${id}\n`).join('')}\n`);
    context.print(`Total reclaimed space: ${humanSize(report.SpaceReclaimed ?? 0)}\n`);
    return 0;
  },
};
