import type { Filters, Network } from '../../api/index.ts';
import type { NetworkDeps } from './deps.ts';
import { networkDocument } from './document.ts';
import { matchesFilters } from './filters.ts';

/** Networks that fit the filters. The list names no containers, as the Engine's does. Errors: `invalid` (filters). */
export async function listNetworks(
  { networks }: Pick<NetworkDeps, 'networks'>,
  filters: Filters,
): Promise<Network[]> {
  const used = new Set(
    networks.sandboxes().flatMap(({ endpoints }) => endpoints.map(({ networkId }) => networkId)),
  );
  const context = { inUse: (networkId: string) => used.has(networkId) };
  return networks
    .list()
    .filter((network) => matchesFilters(network, filters, context))
    .map((network) => networkDocument(network, [], () => ''));
}
