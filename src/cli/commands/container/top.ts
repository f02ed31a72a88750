import { topContainer } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { safeCell } from '../../sanitize.ts';
import { alignColumns } from '../../table.ts';

export const command: CommandSpec = {
  usage: 'CONTAINER [ps OPTIONS]',
  summary: 'Display the running processes of a container',
  flags: [],
  arity: atLeast(1),
  interspersed: false,
  completes: 'running',
  async run(context, flags) {
    const [id = '', ...ps] = flags.operands;
    const { Titles, Processes } = await topContainer(
      context.client(),
      id,
      ps.length > 0 ? ps.join(' ') : undefined,
    );
    const lines = [Titles, ...(Processes ?? [])].map((cells) => `${cells.map(safeCell).join('\t')}\n`);
    context.print(alignColumns(lines.join(''), 20, 3));
    return 0;
  },
};
