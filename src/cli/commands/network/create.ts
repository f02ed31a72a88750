import { createNetwork } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';
import { toMap } from '../../run/env-file.ts';
import { safeText } from '../../sanitize.ts';
import { labelFlag } from '../../shared-flags.ts';
import { poolsOf } from './pools.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] NETWORK',
  summary: 'Create a network',
  flags: [
    flag('attachable', 'bool', 'Enable manual container attachment'),
    flag('aux-address', 'map', 'Auxiliary IPv4 or IPv6 addresses used by Network driver'),
    flag('config-from', 'string', 'The network from which to copy the configuration'),
    flag('config-only', 'bool', 'Create a configuration only network'),
    flag('d,driver', 'string', 'Driver to manage the Network', { default: 'bridge' }),
    flag('gateway', 'strings', 'IPv4 or IPv6 Gateway for the master subnet'),
    flag('ingress', 'bool', 'Create swarm routing-mesh network'),
    flag('internal', 'bool', 'Restrict external access to the network'),
    flag('ip-range', 'strings', 'Allocate container ip from a sub-range'),
    flag('ipam-driver', 'string', 'IP Address Management Driver', { default: 'default' }),
    flag('ipam-opt', 'map', 'Set IPAM driver specific options'),
    flag('ipv4', 'bool', 'Enable or disable IPv4 address assignment', { default: true }),
    flag('ipv6', 'bool', 'Enable or disable IPv6 address assignment'),
    labelFlag('Set metadata on a network'),
    flag('o,opt', 'map', 'Set driver specific options'),
    flag('scope', 'string', "Control the network's scope"),
    flag('subnet', 'strings', 'Subnet in CIDR format that represents a network segment'),
  ],
  arity: exactly(1),
  async run(context, flags) {
    const answer = await createNetwork(context.client(), {
      Name: flags.operands[0],
      Driver: flags.string('driver'),
      Scope: flags.string('scope'),
      Internal: flags.bool('internal'),
      Attachable: flags.bool('attachable'),
      Ingress: flags.bool('ingress'),
      ConfigOnly: flags.bool('config-only'),
      ConfigFrom: flags.string('config-from') === '' ? null : { Network: flags.string('config-from') },
      // Left out, the engine's own default holds.
      ...(flags.changed('ipv4') ? { EnableIPv4: flags.bool('ipv4') } : {}),
      ...(flags.changed('ipv6') ? { EnableIPv6: flags.bool('ipv6') } : {}),
      IPAM: {
        Driver: flags.string('ipam-driver'),
        Options: toMap(flags.list('ipam-opt')),
        Config: poolsOf(flags),
      },
      Options: toMap(flags.list('opt')),
      Labels: toMap(flags.list('label')),
    });
    if (answer.Warning) context.warn(`WARNING: ${safeText(answer.Warning)}\n`);
    context.print(`${answer.Id}\n`);
    return 0;
  },
};
