import { createImage } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { flag } from '../../flags.ts';
import { openInput } from '../../input.ts';
import { showProgress } from '../../progress.ts';
import { splitTarget } from '../../reference.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  summary: 'Import the contents from a tarball to create a filesystem image',
  flags: [
    flag('c,change', 'list', 'Apply Dockerfile instruction to the created image'),
    flag('m,message', 'string', 'Set commit message for imported image'),
    flag('platform', 'string', 'Set platform if server is multi-platform capable'),
  ],
  arity: atLeast(1),
  completes: ['files', 'images'],
  async run(context, flags) {
    const [source = '', target] = flags.operands;
    if (target !== undefined) splitTarget(target);
    const remote = /^https?:\/\//.test(source);
    const query = {
      fromSrc: remote ? source : '-',
      repo: target,
      message: flags.string('message') || undefined,
      changes: flags.list('change'),
      platform: flags.string('platform').toLowerCase() || undefined,
    };
    const body = remote ? undefined : source === '-' ? context.stdin : await openInput(source);
    await showProgress(await createImage(context.client(), query, body), context.stdout);
    return 0;
  },
};
