import { connectNetwork } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { flag, type ParsedFlags } from '../../flags.ts';
import { driverOption } from '../../run/networks.ts';
import { linkFlag } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] NETWORK CONTAINER',
  summary: 'Connect a container to a network',
  flags: [
    flag('alias', 'strings', 'Add network-scoped alias for the container'),
    flag('driver-opt', 'strings', 'driver options for the network'),
    flag(
      'gw-priority',
      'int',
      'Highest gw-priority provides the default gateway. Accepts positive and negative values.',
    ),
    flag('ip', 'string', 'IPv4 address (e.g., "172.30.100.104")'),
    flag('ip6', 'string', 'IPv6 address (e.g., "2001:db8::33")'),
    linkFlag,
    flag('link-local-ip', 'strings', 'Add a link-local address for the container'),
  ],
  arity: exactly(2),
  completes: ['networks', 'containers'],
  async run(context, flags) {
    const [network = '', container = ''] = flags.operands;
    await connectNetwork(context.client(), network, container, {
      IPAMConfig: addresses(flags),
      Links: flags.list('link'),
      Aliases: flags.list('alias'),
      DriverOpts: Object.fromEntries(flags.list('driver-opt').map((text) => driverOption(text, 'key/value'))),
      GwPriority: flags.number('gw-priority'),
    });
    return 0;
  },
};

/** The addresses that were asked for. */
function addresses(flags: ParsedFlags): Record<string, unknown> {
  return {
    ...(flags.string('ip') === '' ? {} : { IPv4Address: flags.string('ip') }),
    ...(flags.string('ip6') === '' ? {} : { IPv6Address: flags.string('ip6') }),
    ...(flags.changed('link-local-ip') ? { LinkLocalIPs: flags.list('link-local-ip') } : {}),
  };
}
