import type { Filters, Network } from '../../api/index.ts';
import type { NetworkDeps } from './deps.ts';
import { inspectNetwork } from './inspect.ts';
import { listNetworks } from './list.ts';

export { createNetwork, removeNetwork } from './change.ts';
export type { NetworkDeps } from './deps.ts';
export { inspectNetwork } from './inspect.ts';
export { listNetworks } from './list.ts';
export { type NetworkedContainer, networkOfMode, networkSettings, portMap } from './settings.ts';

/** The operations on networks bound to what they use, in the shape that the server asks for. */
export function networksBackend(deps: NetworkDeps): {
  list(filters: Filters): Promise<Network[]>;
  inspect(ref: string, options: { verbose: boolean; scope?: string }): Promise<Network>;
} {
  return {
    list: (filters) => listNetworks(deps, filters),
    inspect: (ref, { scope }) => inspectNetwork(deps, { ref, ...(scope ? { scope } : {}) }),
  };
}
