import type { NetworkDeps } from './deps.ts';
import { publishNetwork } from './events.ts';

/** Removes a network. Errors: those of `NetworkStack.remove`. */
export async function removeNetwork(
  deps: Pick<NetworkDeps, 'networks' | 'events'>,
  ref: string,
): Promise<void> {
  publishNetwork(deps.events, 'destroy', await deps.networks.remove(ref));
}

/** Ids of the containers that run on a network. */
export function usersOf(
  { networks }: { networks: Pick<NetworkDeps['networks'], 'sandboxes'> },
  networkId: string,
): string[] {
  return networks
    .sandboxes()
    .filter(({ endpoints }) => endpoints.some((endpoint) => endpoint.networkId === networkId))
    .map(({ containerId }) => containerId);
}
