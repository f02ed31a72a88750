import type { IPAMConfig, NetworkCreateRequest } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { NetworkRequest } from '../../network/types.ts';
import type { NetworkDeps } from './deps.ts';
import { publishNetwork } from './events.ts';

const NOT_A_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

/** Makes a network and answers its id, and what on this host stands in its way, if anything. Errors: `forbidden` for networks of a swarm, `not-found` (an address manager by plugin), with Docker's texts; those of `NetworkStack.create`. */
export async function createNetwork(
  deps: Pick<NetworkDeps, 'networks' | 'events' | 'log'>,
  request: NetworkCreateRequest,
): Promise<{ id: string; warning: string }> {
  refuseImpossible(request);
  const network = await deps.networks.create(networkRequest(request));
  publishNetwork(deps.events, 'create', network);
  return { id: network.id, warning: surroundings(deps, network.id) };
}

/** What stands in a network's way on this host. The network is made: a look that fails must not say otherwise. */
function surroundings(deps: Pick<NetworkDeps, 'networks' | 'log'>, id: string): string {
  try {
    const warnings = deps.networks.warnings(id);
    return warnings.map((text) => text.replace(/^WARNING: /, '')).join('\n');
  } catch (thrown) {
    deps.log.warn('the surroundings of a new network could not be looked at', { network: id, error: thrown });
    return '';
  }
}

/** What a node outside a swarm answers to networks of a swarm, what contradicts itself, and plugins that are not there. */
function refuseImpossible({
  Driver,
  Scope,
  Ingress,
  IPAM,
  ConfigOnly,
  ConfigFrom,
}: NetworkCreateRequest): void {
  if (Driver === 'overlay') throw new WharfError('forbidden', NOT_A_MANAGER);
  if (Ingress) throw new WharfError('forbidden', 'Ingress network can only be global scope network');
  if (Scope === 'swarm') {
    const text = 'cannot create a swarm scoped network when swarm is not active';
    throw new WharfError('forbidden', text);
  }
  if (ConfigOnly && ConfigFrom?.Network) {
    const text = 'a configuration network cannot depend on another configuration network';
    throw new WharfError('forbidden', text);
  }
  if (IPAM?.Driver && IPAM.Driver !== 'default')
    throw new WharfError('not-found', `plugin "${IPAM.Driver}" not found`);
}

function networkRequest(request: NetworkCreateRequest): NetworkRequest {
  const { IPAM, EnableIPv4, EnableIPv6, ConfigFrom } = request;
  return {
    name: request.Name ?? '',
    ...(request.Driver && { driver: request.Driver }),
    options: request.Options ?? {},
    labels: request.Labels ?? {},
    internal: request.Internal === true,
    attachable: request.Attachable === true,
    ...(typeof EnableIPv4 === 'boolean' && { enableIPv4: EnableIPv4 }),
    ...(typeof EnableIPv6 === 'boolean' && { enableIPv6: EnableIPv6 }),
    ...(IPAM?.Options && { ipamOptions: IPAM.Options }),
    ...(IPAM?.Config?.length && { pools: IPAM.Config.map(poolRequest) }),
    ...(request.ConfigOnly && { configOnly: true }),
    ...(ConfigFrom?.Network && { configFrom: ConfigFrom.Network }),
  };
}

/** A pool of the wire, as the stack takes it. */
export function poolRequest(config: IPAMConfig): NonNullable<NetworkRequest['pools']>[number] {
  return {
    ...(config.Subnet && { subnet: config.Subnet }),
    ...(config.Gateway && { gateway: config.Gateway }),
    ...(config.IPRange && { ipRange: config.IPRange }),
    ...(config.AuxiliaryAddresses && { auxiliary: config.AuxiliaryAddresses }),
  };
}
