import { WharfError } from '../../../base/index.ts';
import { createVolume } from '../../../client/index.ts';
import type { CommandSpec } from '../../command.ts';
import { flag } from '../../flags.ts';
import { toMap } from '../../run/env-file.ts';
import { labelFlag } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] [VOLUME]',
  summary: 'Create a volume',
  flags: [
    flag('d,driver', 'string', 'Specify volume driver name', { default: 'local' }),
    labelFlag('Set metadata for a volume'),
    flag('name', 'string', 'The old way to name the volume', { hidden: true }),
    flag('o,opt', 'map', 'Set driver specific options'),
  ],
  arity: { min: 0, max: 1 },
  async run(context, flags) {
    const [operand] = flags.operands;
    if (operand !== undefined && flags.changed('name'))
      throw new WharfError(
        'invalid',
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
      );
    const volume = await createVolume(context.client(), {
      Driver: flags.string('driver'),
      ...(flags.changed('opt') ? { DriverOpts: toMap(flags.list('opt')) } : {}),
      ...(flags.changed('label') ? { Labels: toMap(flags.list('label')) } : {}),
      Name: operand ?? (flags.string('name') || undefined),
    });
    context.print(`${volume.Name}\n`);
    return 0;
  },
};
