import { networkInterfaces } from 'node:os';
import { contains, parseAddress, parseRange } from './addresses/address.ts';
import { rulesOf, type StackParts } from './parts.ts';

/**
 * Whether an address is of a container on an internal network, which must not get to other networks by way of the host.
 * Link-local ones come with the index of their link: `fe80::2%3`.
 */
export function isInternalClient(
  parts: Pick<StackParts, 'networks' | 'config'>,
  ip: string,
  interfaces = networkInterfaces,
): boolean {
  const [address = '', link] = ip.split('%');
  const parsed = parseAddress(address);
  for (const network of parts.networks.values()) {
    const rules = network.internal ? rulesOf(parts, network) : undefined;
    if (!rules) continue;
    const own = () => interfaces()[rules.bridge] ?? [];
    const there =
      link === undefined
        ? network.pools.some(({ subnet }) => contains(parseRange(subnet), parsed))
        : own().some(({ scopeid }) => scopeid === Number(link));
    // The host itself is there, too.
    if (there) return !own().some((mine) => mine.address === address);
  }
  return false;
}
