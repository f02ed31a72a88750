import { WharfError } from '../../../base/index.ts';
import { commitContainer } from '../../../client/index.ts';
import type { CommandSpec } from '../../command.ts';
import { flag } from '../../flags.ts';
import { fullName } from '../../reference.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  summary: "Create a new image from a container's changes",
  flags: [
    flag('a,author', 'string', 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")'),
    flag('c,change', 'list', 'Apply Dockerfile instruction to the created image'),
    flag('m,message', 'string', 'Commit message'),
    flag('p,pause', 'bool', 'Pause container during commit', { default: true }),
    flag(
      'timestamp',
      'string',
      'Make the image of the changes alone: created then (RFC 3339, or seconds since 1970), no file newer; the same changes give the same image',
    ),
  ],
  arity: { min: 1, max: 2 },
  completes: ['containers', 'images'],
  async run(context, flags) {
    const [container = '', target = ''] = flags.operands;
    const { name, tag, digest } = target === '' ? {} : fullName(target);
    if (digest !== undefined)
      throw new WharfError('invalid', 'refusing to create a tag with a digest reference');
    const { Id } = await commitContainer(context.client(), container, {
      repo: name,
      tag: tag ?? (name === undefined ? undefined : 'latest'),
      comment: flags.string('message') || undefined,
      author: flags.string('author') || undefined,
      changes: flags.list('change'),
      pause: flags.bool('pause') ? undefined : '0',
      timestamp: flags.string('timestamp') || undefined,
    });
    context.print(`${Id}\n`);
    return 0;
  },
};
