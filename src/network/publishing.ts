import { isIPv6 } from 'node:net';
import { bridgeOptions } from './drivers/options.ts';
import type { GatewayMode, PortTarget } from './firewall/types.ts';
import type { StackParts } from './parts.ts';
import { portTargets } from './publish/targets.ts';
import type { PortOwner } from './publish/types.ts';
import { gatewayEndpoint } from './routes.ts';
import type { EndpointRecord, PortRequest, PublishedPort, SandboxRecord } from './types.ts';

type Family = 4 | 6;

/** The bridge that leads to a sandbox in one family. */
interface Side {
  bridge: string;
  mode: GatewayMode;
}

/** Where a sandbox's ports are published: on the endpoints with its default routes, as far as these are on bridges. */
export interface PublishPlace {
  owner: PortOwner;
  sides: Partial<Record<Family, Side>>;
}

type PublishParts = Pick<StackParts, 'networks' | 'config' | 'ports'>;

/** Undefined where no bridge leads out of the sandbox: then nothing can be published. */
export function publishPlace(
  parts: Pick<PublishParts, 'networks' | 'config'>,
  sandbox: SandboxRecord,
): PublishPlace | undefined {
  const four = bridged(parts, sandbox.endpoints, 4);
  const six = bridged(parts, sandbox.endpoints, 6);
  const main = four ?? six;
  if (!main) return undefined;
  return {
    owner: {
      containerId: sandbox.containerId,
      name: sandbox.containerName ?? sandbox.containerId.slice(0, 12),
      endpointId: main.endpoint.endpointId,
      ipv4: four?.endpoint.ipv4 ?? '',
      ipv6: six?.endpoint.ipv6 ?? '',
      policy: main.options.policy,
      hostBinding: main.options.hostBinding === '0.0.0.0' ? '' : main.options.hostBinding,
      netnsPath: sandbox.netnsPath,
    },
    sides: {
      ...(four ? { 4: { bridge: four.options.bridge, mode: four.options.mode4 } } : {}),
      ...(six ? { 6: { bridge: six.options.bridge, mode: six.options.mode6 } } : {}),
    },
  };
}

/** Publishes what was asked for. Nothing is published when it fails. Errors: those of `Ports.reserve`. */
export async function publish(
  parts: PublishParts,
  place: PublishPlace,
  requests: readonly PortRequest[],
): Promise<PublishedPort[]> {
  const { held, routed } = split(place, requests);
  return [...(held.length > 0 ? await parts.ports.reserve(held, place.owner) : []), ...routed];
}

/** The published ports that a host's socket is held for. */
export function heldPorts(ports: readonly PublishedPort[]): PublishedPort[] {
  return ports.filter(({ hostPort }) => hostPort !== 0);
}

/** Where the sandbox's published ports lead, for the rules. */
export function targetsOf(
  parts: Pick<PublishParts, 'networks' | 'config'>,
  sandbox: SandboxRecord,
): PortTarget[] {
  if (sandbox.ports.length === 0) return [];
  const place = publishPlace(parts, sandbox);
  if (!place) return [];
  const { owner, sides } = place;
  const targets: PortTarget[] = [];
  for (const family of [4, 6] as const) {
    const side = sides[family];
    if (!side) continue;
    const only = { ...owner, ipv4: family === 4 ? owner.ipv4 : '', ipv6: family === 6 ? owner.ipv6 : '' };
    const of = (mode: PortTarget['mode']) => portTargets(sandbox.ports, only, side.bridge, mode);
    if (side.mode === 'routed') targets.push(...of('routed'));
    else targets.push(...of('nat'), ...(parts.config.allowDirectRouting ? of('routed') : []));
  }
  return targets;
}

/** True when ports published at one place can be sent to the other as they are. */
export function sameSockets(one: PublishPlace, other: PublishPlace): boolean {
  const routed = ({ sides }: PublishPlace) => [sides[4]?.mode === 'routed', sides[6]?.mode === 'routed'];
  return (
    one.owner.hostBinding === other.owner.hostBinding &&
    one.owner.policy === other.owner.policy &&
    String(routed(one)) === String(routed(other))
  );
}

/** A routed family needs no port of the host: its addresses are reached as they are. */
function split(
  { sides, owner }: PublishPlace,
  requests: readonly PortRequest[],
): { held: PortRequest[]; routed: PublishedPort[] } {
  const routed4 = sides[4]?.mode === 'routed';
  const routed6 = sides[6]?.mode === 'routed';
  if (!routed4 && !routed6) return { held: [...requests], routed: [] };
  const held: PortRequest[] = [];
  const routed: PublishedPort[] = [];
  for (const request of requests) {
    const { protocol, containerPort } = request;
    const given = request.hostIp || owner.hostBinding;
    for (const hostIp of given ? [given] : ['0.0.0.0', '::']) {
      if (isIPv6(hostIp) ? routed6 : routed4) routed.push({ protocol, containerPort, hostIp, hostPort: 0 });
      else held.push({ ...request, hostIp });
    }
  }
  return { held, routed };
}

function bridged(
  parts: Pick<PublishParts, 'networks' | 'config'>,
  endpoints: readonly EndpointRecord[],
  family: Family,
) {
  const endpoint = gatewayEndpoint(parts.networks, endpoints, family);
  const network = endpoint && parts.networks.get(endpoint.networkId);
  if (!endpoint || network?.driver !== 'bridge') return undefined;
  return { endpoint, options: bridgeOptions(network, parts.config) };
}
