import { filterText, pruneNetworks } from '../../../client/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { confirmed, pruneFlags } from '../../confirm.ts';
import { filtersOf } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Remove all unused networks',
  flags: pruneFlags('Provide filter values (e.g. "until=<timestamp>")'),
  arity: NO_OPERANDS,
  async run(context, flags) {
    if (
      !(await confirmed(
        context,
        flags,
        'WARNING! This will remove all custom networks not used by at least one container.',
      ))
    )
      return 0;
    const names =
      (await pruneNetworks(context.client(), filterText(filtersOf(flags.list('filter'))))).NetworksDeleted ??
      [];
    if (names.length > 0) context.print(`Deleted Networks:\n${names.map((name) => `${name}\n`).join('')}\n`);
    return 0;
  },
};
