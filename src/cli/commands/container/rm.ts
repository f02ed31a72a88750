import { WharfError } from '../../../base/index.ts';
import { removeContainer } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { forEachAtOnce } from '../../each.ts';
import { flag } from '../../flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Remove one or more containers',
  flags: [
    flag('f,force', 'bool', 'Force the removal of a running container (uses SIGKILL)'),
    flag('l,link', 'bool', 'Remove the specified link'),
    flag('v,volumes', 'bool', 'Remove anonymous volumes associated with the container'),
  ],
  arity: atLeast(1),
  completes: 'containers',
  run(context, flags) {
    const query = { force: flags.bool('force'), link: flags.bool('link'), v: flags.bool('volumes') };
    return forEachAtOnce(context, flags.operands, async (operand) => {
      const id = operand.replace(/^\/+/, '');
      if (id === '') throw new WharfError('invalid', 'container name cannot be empty');
      await removeContainer(context.client(), id, query);
      return operand;
    });
  },
};
