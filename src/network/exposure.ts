import type { BridgeOptions } from './drivers/options.ts';
import { bridgeOptions } from './drivers/options.ts';
import { parentOf } from './drivers/parented.ts';
import type { GatewayMode } from './firewall/types.ts';
import type { StackParts } from './parts.ts';
import { publishPlace } from './publishing.ts';
import type { EndpointRecord, Exposure, NetworkRecord, PublishedPort, SandboxRecord } from './types.ts';

type ExposureParts = Pick<StackParts, 'networks' | 'sandboxes' | 'config'>;

/** See `NetworkStack.exposure`: for each container first what was published, then what its networks leave open. */
export function exposures(parts: ExposureParts): Exposure[] {
  return [...parts.sandboxes.values()].flatMap((sandbox) => [
    ...sandbox.ports.map((port) => published(parts, sandbox, port)),
    ...sandbox.endpoints.flatMap((endpoint) => open(parts, sandbox, endpoint)),
  ]);
}

function published(parts: ExposureParts, sandbox: SandboxRecord, port: PublishedPort): Exposure {
  const { protocol, containerPort, hostIp, hostPort } = port;
  const place = publishPlace(parts, sandbox);
  const network = networkOfPlace(parts, sandbox, place?.owner.endpointId);
  const common = { containerId: sandbox.containerId, network, protocol, containerPort };
  if (hostPort === 0) {
    const address = hostIp.includes(':') ? place?.owner.ipv6 : place?.owner.ipv4;
    const why = `published on network ${network}, which is routed: other hosts reach it at its own address`;
    return { ...common, at: joined(address ?? hostIp, containerPort), from: 'lan', why };
  }
  const at = joined(hostIp, hostPort);
  if (hostIp === '::1' || hostIp.startsWith('127.'))
    return { ...common, at, from: 'host', why: `published on ${hostIp}: from this host alone` };
  const where = hostIp === '0.0.0.0' || hostIp === '::' ? 'every address of this host' : hostIp;
  const rules =
    place?.owner.policy === 'obey'
      ? `publish policy "obey": as far as the host's own input rules let them`
      : `publish policy "open": whatever the host's own input rules say`;
  return { ...common, at, from: 'lan', why: `published on ${where}; ${rules}` };
}

/** What is open on an endpoint without any publication. */
function open(parts: ExposureParts, sandbox: SandboxRecord, endpoint: EndpointRecord): Exposure[] {
  const network = parts.networks.get(endpoint.networkId);
  if (!network) return [];
  const common = { containerId: sandbox.containerId, protocol: 'any' as const, containerPort: 0 };
  if (network.driver === 'host') {
    const why = 'on the host network: each port that it opens is one of the host';
    return [{ ...common, network: '', at: 'every address of this host', from: 'lan', why }];
  }
  return [endpoint.ipv4, endpoint.ipv6 ?? ''].filter(Boolean).map((address) => {
    const { from, why } = openTo(parts, network, address);
    return { ...common, network: network.name, at: address, from, why };
  });
}

function openTo(
  parts: ExposureParts,
  network: NetworkRecord,
  address: string,
): Pick<Exposure, 'from' | 'why'> {
  if (network.driver !== 'bridge') return parentedOpen(network);
  const options = bridgeOptions(network, parts.config);
  const mode: GatewayMode = address.includes(':') ? options.mode6 : options.mode4;
  if (mode === 'nat-unprotected' && !network.internal)
    return {
      from: 'lan',
      why: 'gateway mode "nat-unprotected": whoever has a route to its address reaches it',
    };
  if (options.trustedInterfaces.length > 0 && !network.internal) {
    const why = `neighbours on ${options.trustedInterfaces.join(', ')} are trusted by the network's options`;
    return { from: 'lan', why };
  }
  return withinHost(network, options, mode);
}

function parentedOpen(network: NetworkRecord): Pick<Exposure, 'from' | 'why'> {
  if (network.internal || !network.options['parent'])
    return {
      from: 'network',
      why: `${network.driver} without a parent: containers of the same network alone`,
    };
  const why = `${network.driver} on ${parentOf(network)}: its neighbours there reach it; no rule of this host applies`;
  return { from: 'lan', why };
}

function withinHost(
  network: NetworkRecord,
  { icc }: BridgeOptions,
  mode: GatewayMode,
): Pick<Exposure, 'from' | 'why'> {
  const siblings = icc ? 'containers of the same network' : 'no other container (icc is off)';
  if (mode === 'isolated')
    return { from: 'network', why: `isolated: ${siblings}; the host has no address there` };
  const scope = network.internal ? ', and nobody beyond: the network is internal' : '';
  return { from: 'host', why: `the host, and ${siblings}, by its address${scope}` };
}

function networkOfPlace(
  parts: ExposureParts,
  sandbox: SandboxRecord,
  endpointId: string | undefined,
): string {
  const endpoint = sandbox.endpoints.find((each) => each.endpointId === endpointId);
  return endpoint ? (parts.networks.get(endpoint.networkId)?.name ?? endpoint.networkName) : '';
}

function joined(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
