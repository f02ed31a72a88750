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
    flag(
      'platform',
      'string',
      "Inspect a specific platform of the multi-platform image.\nIf the image or the server is not multi-platform capable, the command will error out if the platform does not match.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
    ),
  ],
  arity: atLeast(1),
  completes: 'images',
  run(context, flags) {
    const platform = platformQuery(flags.string('platform'));
    return inspectAll(context, flags.operands, flags.string('format'), (name) =>
      inspectImageText(context.client(), name, { platform }),
    );
  },
};
