import type { PortTarget } from '../firewall/types.ts';
import type { PublishedPort } from '../types.ts';
import { familyOf } from './held-port.ts';
import type { PortOwner } from './types.ts';

/**
 * The published ports as the rules need them: those that the kernel translates. What the held sockets carry instead is left
 * out: `::1`, IPv6 in front of a container without it, and everything under the policy `obey`. On routed networks nothing
 * is translated or carried; the rules open the container's own port.
 */
export function portTargets(
  ports: readonly PublishedPort[],
  owner: PortOwner,
  bridge: string,
  mode: PortTarget['mode'],
): PortTarget[] {
  if (mode === 'nat' && owner.policy === 'obey') return [];
  const targets: PortTarget[] = [];
  for (const port of ports) {
    const containerIp = familyOf(port.hostIp) === 6 ? owner.ipv6 : owner.ipv4;
    if (containerIp && (mode === 'routed' || port.hostIp !== '::1'))
      targets.push({ ...port, containerIp, bridge, mode });
  }
  return targets;
}
