import type {
  EndpointSettings,
  ExposureDocument,
  Filters,
  IPAMConfig,
  Network,
  NetworkCreateRequest,
} from '../../api/index.ts';
import { connectContainer, disconnectContainer } from '../containers/index.ts';
import { createNetwork } from './create.ts';
import type { NetworkDeps } from './deps.ts';
import { networkExposure } from './exposure.ts';
import { inspectNetwork } from './inspect.ts';
import { listNetworks } from './list.ts';
import { pruneNetworks } from './prune.ts';
import { removeNetwork } from './remove.ts';
import { renumberNetwork } from './renumber.ts';

export type { NetworkDeps } from './deps.ts';
export { prunableNetworks } from './prune.ts';
export { type NetworkedContainer, networkSettings, portMap } from './settings.ts';

/** The operations on networks bound to what they use, in the shape that the server asks for. */
export function networksBackend(deps: NetworkDeps): {
  list(filters: Filters): Promise<Network[]>;
  inspect(ref: string, options: { verbose: boolean; scope?: string }): Promise<Network>;
  create(request: NetworkCreateRequest): Promise<{ id: string; warning: string }>;
  remove(ref: string): Promise<void>;
  prune(filters: Filters): Promise<{ deleted: string[] }>;
  connect(ref: string, input: { container: string; settings?: EndpointSettings }): Promise<void>;
  disconnect(ref: string, input: { container: string; force: boolean }): Promise<void>;
  renumber(ref: string, config: IPAMConfig[] | undefined): Promise<Network>;
  exposure(): Promise<ExposureDocument[]>;
} {
  return {
    list: (filters) => listNetworks(deps, filters),
    inspect: (ref, { scope }) => inspectNetwork(deps, { ref, ...(scope ? { scope } : {}) }),
    create: (request) => createNetwork(deps, request),
    remove: (ref) => removeNetwork(deps, ref),
    prune: async (filters) => ({ deleted: await pruneNetworks(deps, filters) }),
    connect: (ref, input) => connectContainer(deps, ref, input),
    disconnect: (ref, input) => disconnectContainer(deps, ref, input),
    renumber: (ref, config) => renumberNetwork(deps, ref, config),
    exposure: () => networkExposure(deps),
  };
}
