import { inspectImageText } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { flag } from '../../flags.ts';
import { inspectAll } from '../../inspecting.ts';
import { platformQuery } from '../../platform.ts';
import { documentFormat } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Display detailed information on one or more images',
  flags: [
    documentFormat(),
    flag('platform', 'string', "Inspect a specific platform of the image, 'os[/arch[/variant]]'"),
  ],
  arity: atLeast(1),
  completes: 'images',
  run: (context, flags) =>
    inspectAll(context, flags.operands, flags.string('format'), (name) =>
      inspectImageText(context.client(), name, { platform: platformQuery(flags.string('platform')) }),
    ),
};
