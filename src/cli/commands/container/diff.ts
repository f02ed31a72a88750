import { containerChanges } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { safeCell } from '../../sanitize.ts';

const KINDS = ['C', 'A', 'D'];

export const command: CommandSpec = {
  usage: 'CONTAINER',
  summary: "Show what changed in a container's filesystem",
  flags: [],
  arity: exactly(1),
  completes: 'containers',
  async run(context, flags) {
    const changes = (await containerChanges(context.client(), flags.operands[0] ?? '')) ?? [];
    context.print(changes.map(({ Kind, Path }) => `${KINDS[Kind] ?? '?'} ${safeCell(Path)}\n`).join(''));
    return 0;
  },
};
