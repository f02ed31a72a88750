import { shortId, WharfError } from '../../base/index.ts';
import type { NetworkRecord } from '../../network/types.ts';
import type { NetworkDeps } from './deps.ts';
import { publishNetwork } from './events.ts';
import { BUILTIN } from './filters.ts';

/** Removes a network. Errors: `not-found`, `forbidden` (built in; in use), with Docker's texts. */
export async function removeNetwork(
  deps: Pick<NetworkDeps, 'networks' | 'store' | 'events'>,
  ref: string,
): Promise<void> {
  const network = deps.networks.get(ref);
  if (BUILTIN.has(network.name))
    throw new WharfError('forbidden', `${network.name} is a pre-defined network and cannot be removed`);
  refuseUsed(deps, network);
  await deps.networks.remove(network.id);
  publishNetwork(deps.events, 'destroy', network);
}

/** Endpoints of running containers on a network, with the container's id. */
export function endpointsOn({ networks }: Pick<NetworkDeps, 'networks'>, networkId: string) {
  return networks
    .sandboxes()
    .flatMap(({ containerId, endpoints }) =>
      endpoints
        .filter((one) => one.networkId === networkId)
        .map(({ endpointId }) => ({ containerId, endpointId })),
    );
}

function refuseUsed(deps: Pick<NetworkDeps, 'networks' | 'store'>, network: NetworkRecord): void {
  const refuse = (why: string) => {
    throw new WharfError('forbidden', `error while removing network: ${why}`);
  };
  if (deps.networks.list().some(({ configFrom }) => configFrom === network.name && network.configOnly))
    refuse(`configuration network "${network.name}" is in use`);
  const users = endpointsOn(deps, network.id).map(({ containerId, endpointId }) => {
    const name = deps.store.get(containerId)?.name ?? '';
    return `name:"${name}" id:"${shortId(endpointId)}"`;
  });
  if (users.length > 0) refuse(`network ${network.name} has active endpoints (${users.sort().join(', ')})`);
}
