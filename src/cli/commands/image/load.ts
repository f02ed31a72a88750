import { WharfError } from '../../../base/index.ts';
import { loadImages, readAll } from '../../../client/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { flag } from '../../flags.ts';
import { openInput } from '../../input.ts';
import { platformQuery } from '../../platform.ts';
import { showProgress } from '../../progress.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Load an image from a tar archive or STDIN',
  flags: [
    flag('i,input', 'string', 'Read from tar archive file, instead of STDIN'),
    flag(
      'platform',
      'string',
      'Load only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    ),
    flag('q,quiet', 'bool', 'Suppress the load output'),
  ],
  arity: NO_OPERANDS,
  async run(context, flags) {
    const input = flags.string('input');
    if (input === '' && context.stdin.isTTY)
      throw new WharfError('invalid', 'requested load from stdin, but stdin is empty');
    const body = input === '' ? context.stdin : await openInput(input);
    const quiet = flags.bool('quiet') || !context.stdout.isTTY;
    const response = await loadImages(context.client(), body, {
      quiet: quiet ? '1' : '0',
      platform: platformQuery(flags.string('platform'), 'invalid platform: '),
    });
    if (response.headers['content-type']?.startsWith('application/json'))
      await showProgress(response, context.stdout);
    else context.print((await readAll(response)).toString());
    return 0;
  },
};
