import { saveImages } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { flag } from '../../flags.ts';
import { outputFlag, writeArchive } from '../../output-file.ts';
import { platformQuery } from '../../platform.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  flags: [
    outputFlag,
    flag(
      'platform',
      'string',
      'Save only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    ),
  ],
  arity: atLeast(1),
  completes: 'images',
  async run(context, flags) {
    await writeArchive(context, flags.string('output'), 'failed to save image', () =>
      saveImages(
        context.client(),
        flags.operands,
        platformQuery(flags.string('platform'), 'invalid platform: '),
      ),
    );
    return 0;
  },
};
