import { renumberNetwork } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';
import { poolsOf } from './pools.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] NETWORK',
  summary:
    'Give a network other subnets\n\n' +
    'The way out when a VPN or another route of this host came to overlap a network: it keeps its\n' +
    'name, id and options. Without --subnet, subnets that overlap nothing are chosen. Containers that\n' +
    'run on it get new addresses at once, their connections there end. One that asked for a fixed\n' +
    'address has to be disconnected first, unless a subnet given here holds it.',
  flags: [
    flag('gateway', 'strings', 'IPv4 or IPv6 gateway of a subnet'),
    flag('ip-range', 'strings', 'Range of a subnet from which containers get addresses'),
    flag('subnet', 'strings', 'New subnet in CIDR format, IPv4 or IPv6'),
  ],
  arity: exactly(1),
  completes: 'networks',
  async run(context, flags) {
    const pools = poolsOf(flags);
    const network = await renumberNetwork(
      context.client(),
      flags.operands[0] ?? '',
      pools.length === 0 ? undefined : pools,
    );
    const subnets = (network.IPAM?.Config ?? []).map((each) => each.Subnet);
    context.print(`${network.Name}: ${subnets.join(', ')}\n`);
    return 0;
  },
};
