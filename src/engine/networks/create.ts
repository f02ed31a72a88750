import type { IPAMConfig, NetworkCreateRequest } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { NetworkRequest } from '../../network/types.ts';
import type { NetworkDeps } from './deps.ts';
import { publishNetwork } from './events.ts';
import { BUILTIN } from './filters.ts';

const DRIVERS: ReadonlySet<string> = new Set(['bridge', 'macvlan', 'ipvlan']);
const NOT_A_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

/** Makes a network and answers its id. Errors: `invalid`, `forbidden`, `conflict` (its name), `not-found` (its driver), with Docker's texts; those of `NetworkStack.create`. */
export async function createNetwork(
  deps: Pick<NetworkDeps, 'networks' | 'events'>,
  request: NetworkCreateRequest,
): Promise<string> {
  const name = request.Name ?? '';
  checkName(deps, name);
  checkDriver(request);
  const network = await deps.networks.create(networkRequest(request, name));
  publishNetwork(deps.events, 'create', network);
  return network.id;
}

function checkName(deps: Pick<NetworkDeps, 'networks'>, name: string): void {
  if (name.trim() === '') throw new WharfError('invalid', 'invalid name: name is empty');
  if (BUILTIN.has(name) || name === 'default')
    throw new WharfError('forbidden', `operation is not permitted on predefined ${name} network `);
  if (deps.networks.list().some((network) => network.name === name))
    throw new WharfError('conflict', `network with name ${name} already exists`);
}

/** Errors: what a node outside a swarm answers to networks of a swarm, and to drivers that it does not have. */
function checkDriver({ Driver, Scope, Ingress, IPAM, ConfigOnly }: NetworkCreateRequest): void {
  const driver = Driver || 'bridge';
  if (driver === 'overlay') throw new WharfError('forbidden', NOT_A_MANAGER);
  if (Ingress) throw new WharfError('forbidden', 'Ingress network can only be global scope network');
  if (Scope === 'swarm') {
    const text = 'cannot create a swarm scoped network when swarm is not active';
    throw new WharfError('forbidden', text);
  }
  if (ConfigOnly) return;
  if (driver === 'host' || driver === 'null')
    throw new WharfError('forbidden', `only one instance of "${driver}" network is allowed`);
  const ipam = IPAM?.Driver || 'default';
  const unknown = DRIVERS.has(driver) ? (ipam === 'default' ? undefined : ipam) : driver;
  if (unknown) throw new WharfError('not-found', `plugin "${unknown}" not found`);
}

function networkRequest(request: NetworkCreateRequest, name: string): NetworkRequest {
  const { IPAM, EnableIPv4, EnableIPv6, ConfigFrom } = request;
  return {
    name,
    driver: request.Driver || 'bridge',
    options: request.Options ?? {},
    labels: request.Labels ?? {},
    internal: request.Internal === true,
    attachable: request.Attachable === true,
    ...(typeof EnableIPv4 === 'boolean' && { enableIPv4: EnableIPv4 }),
    ...(typeof EnableIPv6 === 'boolean' && { enableIPv6: EnableIPv6 }),
    ...(IPAM?.Driver && { ipamDriver: IPAM.Driver }),
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
