import { WharfError } from '../../../base/index.ts';
import { tagImage } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { splitTarget } from '../../reference.ts';

export const command: CommandSpec = {
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  summary: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  flags: [],
  arity: exactly(2),
  completes: ['images', 'images'],
  async run(context, flags) {
    const [source = '', target = ''] = flags.operands;
    let parts: { repo: string; tag: string | undefined };
    try {
      parts = splitTarget(target);
    } catch (thrown) {
      throw new WharfError(
        'invalid',
        `Error parsing reference: ${JSON.stringify(target)} is not a valid repository/tag: ${WharfError.from(thrown).message}`,
      );
    }
    await tagImage(context.client(), source, parts.repo, parts.tag);
    return 0;
  },
};
