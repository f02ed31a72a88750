import { inspectContainerText } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { flag } from '../../flags.ts';
import { inspectAll } from '../../inspecting.ts';
import { documentFormat } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Display detailed information on one or more containers',
  flags: [documentFormat(), flag('s,size', 'bool', 'Display total file sizes')],
  arity: atLeast(1),
  completes: 'containers',
  run: (context, flags) =>
    inspectAll(context, flags.operands, flags.string('format'), (id) =>
      inspectContainerText(context.client(), id, flags.bool('size')),
    ),
};
