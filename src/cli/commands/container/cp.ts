import { WharfError } from '../../../base/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { copyFromContainer } from '../../copy/from-container.ts';
import { copyOperand } from '../../copy/paths.ts';
import { copyToContainer } from '../../copy/to-container.ts';
import { flag } from '../../flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\twharf cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
  summary: `Copy files/folders between a container and the local filesystem

Use '-' as the source to read a tar archive from stdin
and extract it to a directory destination in a container.
Use '-' as the destination to stream a tar archive of a
container source to stdout.`,
  flags: [
    flag('a,archive', 'bool', 'Archive mode (copy all uid/gid information)'),
    flag('L,follow-link', 'bool', 'Always follow symbol link in SRC_PATH'),
    flag(
      'q,quiet',
      'bool',
      'Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached',
    ),
  ],
  arity: exactly(2),
  completes: ['paths', 'paths'],
  async run(context, flags) {
    const [from = '', to = ''] = flags.operands;
    if (from === '') throw new WharfError('invalid', 'source can not be empty');
    if (to === '') throw new WharfError('invalid', 'destination can not be empty');
    const [source, target] = [copyOperand(from), copyOperand(to)];
    const options = {
      archive: flags.bool('archive'),
      followLink: flags.bool('follow-link'),
      quiet: flags.bool('quiet'),
    };
    if (source.container !== undefined && target.container !== undefined)
      throw new WharfError('invalid', 'copying between containers is not supported');
    if (source.container !== undefined)
      await copyFromContainer(context, { container: source.container, path: source.path }, to, options);
    else if (target.container !== undefined)
      await copyToContainer(context, from, { container: target.container, path: target.path }, options);
    else throw new WharfError('invalid', 'must specify at least one container source');
    return 0;
  },
};
