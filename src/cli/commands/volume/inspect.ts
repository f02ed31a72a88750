import { inspectVolumeText, inspectVolumeUsageText } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { flag } from '../../flags.ts';
import { inspectAll } from '../../inspecting.ts';
import { documentFormat } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  summary: 'Display detailed information on one or more volumes',
  flags: [
    documentFormat(),
    flag('v,usage', 'bool', 'Display how much it holds, and which containers use it, too'),
  ],
  arity: atLeast(1),
  completes: 'volumes',
  run(context, flags) {
    const fetch = flags.bool('usage') ? inspectVolumeUsageText : inspectVolumeText;
    return inspectAll(context, flags.operands, flags.string('format'), (name) =>
      fetch(context.client(), name),
    );
  },
};
