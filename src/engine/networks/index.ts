import type { Filters, Network, NetworkSettings } from '../../api/index.ts';
import type { NetworkStack, SandboxRecord } from '../../network/types.ts';
import { createNetwork, removeNetwork } from './change.ts';
import type { NetworkDeps } from './deps.ts';
import { inspectNetwork } from './inspect.ts';
import { listNetworks } from './list.ts';
import { type NetworkedContainer, networkSettings } from './settings.ts';

export { createNetwork, removeNetwork } from './change.ts';
export type { NetworkDeps } from './deps.ts';
export { inspectNetwork } from './inspect.ts';
export { listNetworks } from './list.ts';
export { type NetworkedContainer, networkOfMode, networkSettings, portMap } from './settings.ts';

/** The operations on networks bound to what they use, in the shape that the server asks for. */
export function networksBackend(deps: NetworkDeps): {
  list(filters: Filters): Promise<Network[]>;
  inspect(ref: string, options: { verbose: boolean; scope?: string }): Promise<Network>;
  create(name: string): Promise<never>;
  remove(ref: string): Promise<void>;
} {
  return {
    list: (filters) => listNetworks(deps, filters),
    create: async (name) => createNetwork(deps, { name }),
    remove: async (ref) => removeNetwork(deps, { ref }),
    inspect: (ref, { scope }) => inspectNetwork(deps, { ref, ...(scope ? { scope } : {}) }),
  };
}

/** `NetworkSettings` for lists and inspection of containers, bound to the networks that are. */
export function networkSettingsOf(
  stack: Pick<NetworkStack, 'list'>,
): (input: { record: NetworkedContainer; sandbox?: SandboxRecord }) => NetworkSettings {
  const idOf = (name: string) => stack.list().find((network) => network.name === name)?.id;
  return ({ record, sandbox }) => networkSettings(record, sandbox, idOf);
}
