import { isLayer3 } from './drivers/parented.ts';
import type { DefaultRoute } from './kernel.ts';
import type { StackParts } from './parts.ts';
import type { EndpointRecord, NetworkRecord } from './types.ts';

/**
 * The endpoint that the default route of a family goes through: the highest priority, then one with both families, then
 * the network's name. Undefined where no network leads out.
 */
export function gatewayEndpoint(
  networks: ReadonlyMap<string, NetworkRecord>,
  endpoints: readonly EndpointRecord[],
  family: 4 | 6,
): EndpointRecord | undefined {
  let best: EndpointRecord | undefined;
  for (const endpoint of endpoints)
    if (leadsOut(networks, endpoint, family) && (!best || goesBefore(endpoint, best))) best = endpoint;
  return best;
}

/** Makes the default routes in a namespace what they should be with `after`, where that differs from `before`. */
export function moveRoutes(
  parts: Pick<StackParts, 'kernel' | 'networks'>,
  netnsPath: string,
  before: readonly EndpointRecord[],
  after: readonly EndpointRecord[],
): void {
  for (const family of [4, 6] as const) {
    const old = defaultRoute(gatewayEndpoint(parts.networks, before, family), family);
    const wanted = defaultRoute(gatewayEndpoint(parts.networks, after, family), family);
    if (old?.dev !== wanted?.dev || old?.gateway !== wanted?.gateway)
      parts.kernel.namespaces.setDefaultRoute(netnsPath, family, wanted);
  }
}

function leadsOut(
  networks: ReadonlyMap<string, NetworkRecord>,
  endpoint: EndpointRecord,
  family: 4 | 6,
): boolean {
  if (!(family === 4 ? endpoint.ipv4 : endpoint.ipv6)) return false;
  if (family === 4 ? endpoint.ipv4Gateway : endpoint.ipv6Gateway) return true;
  const network = networks.get(endpoint.networkId);
  return network !== undefined && isLayer3(network) && !network.internal;
}

function goesBefore(one: EndpointRecord, other: EndpointRecord): boolean {
  const priority = (one.gwPriority ?? 0) - (other.gwPriority ?? 0);
  if (priority !== 0) return priority > 0;
  const families = dual(one) - dual(other);
  return families !== 0 ? families > 0 : one.networkName < other.networkName;
}

function dual({ ipv4, ipv6 }: EndpointRecord): number {
  return ipv4 && ipv6 ? 1 : 0;
}

function defaultRoute(endpoint: EndpointRecord | undefined, family: 4 | 6): DefaultRoute | undefined {
  if (!endpoint) return undefined;
  const gateway = family === 4 ? endpoint.ipv4Gateway : endpoint.ipv6Gateway;
  return { dev: endpoint.interfaceName, ...(gateway ? { gateway } : {}) };
}
