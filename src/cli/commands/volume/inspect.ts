import { inspectVolumeText } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { inspectAll } from '../../inspecting.ts';
import { documentFormat } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  summary: 'Display detailed information on one or more volumes',
  flags: [documentFormat()],
  arity: atLeast(1),
  completes: 'volumes',
  run: (context, flags) =>
    inspectAll(context, flags.operands, flags.string('format'), (name) =>
      inspectVolumeText(context.client(), name),
    ),
};
