import { connectNetwork } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';
import { toMap } from '../../run/env-file.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] NETWORK CONTAINER',
  summary: 'Connect a container to a network',
  flags: [
    flag('alias', 'strings', 'Add network-scoped alias for the container'),
    flag('driver-opt', 'strings', 'driver options for the network'),
    {
      ...flag(
        'gw-priority',
        'int',
        'Highest gw-priority provides the default gateway. Accepts positive and negative values.',
      ),
    },
    flag('ip', 'string', 'IPv4 address (e.g., "172.30.100.104")'),
    flag('ip6', 'string', 'IPv6 address (e.g., "2001:db8::33")'),
    flag('link', 'list', 'Add link to another container'),
    flag('link-local-ip', 'strings', 'Add a link-local address for the container'),
  ],
  arity: exactly(2),
  completes: ['networks', 'containers'],
  async run(context, flags) {
    const [network = '', container = ''] = flags.operands;
    await connectNetwork(context.client(), network, {
      Container: container,
      EndpointConfig: {
        IPAMConfig: {
          IPv4Address: flags.string('ip'),
          IPv6Address: flags.string('ip6'),
          LinkLocalIPs: flags.list('link-local-ip'),
        },
        Links: flags.list('link'),
        Aliases: flags.list('alias'),
        DriverOpts: toMap(flags.list('driver-opt')),
        GwPriority: flags.number('gw-priority'),
      },
    });
    return 0;
  },
};
