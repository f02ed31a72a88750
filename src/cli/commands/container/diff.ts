import { WharfError } from '../../../base/index.ts';
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
    const [name = ''] = flags.operands;
    if (name === '') throw new WharfError('invalid', 'Container name cannot be empty');
    const changes = (await containerChanges(context.client(), name)) ?? [];
    context.print(changes.map(({ Kind, Path }) => `${KINDS[Kind] ?? '?'} ${safeCell(Path)}\n`).join(''));
    return 0;
  },
};
