import { isKind } from '../../../base/index.ts';
import { removeNetwork } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { forEach } from '../../each.ts';
import { flag } from '../../flags.ts';

export const command: CommandSpec = {
  usage: 'NETWORK [NETWORK...]',
  summary: 'Remove one or more networks',
  flags: [flag('f,force', 'bool', 'Do not error if the network does not exist')],
  arity: atLeast(1),
  completes: 'networks',
  async run(context, flags) {
    const code = await forEach(context, flags.operands, async (name) => {
      try {
        await removeNetwork(context.client(), name);
      } catch (thrown) {
        if (flags.bool('force') && isKind(thrown, 'not-found')) return false;
        throw thrown;
      }
      return name;
    });
    if (code !== 0) context.warn(`exit status ${code}\n`);
    return code;
  },
};
