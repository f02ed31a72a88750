import { removeVolume } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { forEach } from '../../each.ts';
import { flag } from '../../flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  summary: 'Remove one or more volumes. A volume that a container uses stays.',
  flags: [flag('f,force', 'bool', 'Force the removal of one or more volumes')],
  arity: atLeast(1),
  completes: 'volumes',
  run: (context, flags) =>
    forEach(context, flags.operands, (name) => removeVolume(context.client(), name, flags.bool('force'))),
};
