import { disconnectNetwork } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] NETWORK CONTAINER',
  summary: 'Disconnect a container from a network',
  flags: [flag('f,force', 'bool', 'Force the container to disconnect from a network')],
  arity: exactly(2),
  completes: ['networks', 'containers'],
  async run(context, flags) {
    const [network = '', container = ''] = flags.operands;
    await disconnectNetwork(context.client(), network, container, flags.bool('force'));
    return 0;
  },
};
