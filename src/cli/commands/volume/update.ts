import { WharfError } from '../../../base/index.ts';
import { inspectVolumeText } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] [VOLUME]',
  summary: 'Update a volume (cluster volumes only)',
  flags: [
    flag('availability', 'string', 'Cluster Volume availability ("active", "pause", "drain")', {
      default: 'active',
    }),
  ],
  arity: exactly(1),
  completes: 'volumes',
  async run(context, flags) {
    await inspectVolumeText(context.client(), flags.operands[0] ?? '');
    throw new WharfError('invalid', 'can only update cluster volumes');
  },
};
