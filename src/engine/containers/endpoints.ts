import type { EndpointSettings } from '../../api/index.ts';
import { shortId, WharfError } from '../../base/index.ts';
import type {
  EndpointLink,
  EndpointRequest,
  NetworkRecord,
  NetworkStack,
  SandboxRecord,
} from '../../network/types.ts';
import { parseLink, targetOf } from './links.ts';
import { isPredefinedNetwork } from './modes.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerStore } from './store.ts';

/** What of a container decides its endpoints. */
export type EndpointOwner = Pick<
  ContainerRecord,
  'id' | 'name' | 'config' | 'hostConfig' | 'networkingConfig'
>;

/** Finds networks by name or id. */
export type FindNetwork = Pick<NetworkStack, 'get'>;

/** The network, or undefined where the reference fits none, or several: a container may name one that is yet to be made. */
export function findNetwork(networks: FindNetwork, ref: string): NetworkRecord | undefined {
  try {
    return networks.get(ref);
  } catch {
    return undefined;
  }
}

/** A container's wishes by network name; to be changed only under its lock. */
export function wishes(record: Pick<ContainerRecord, 'networkingConfig'>): Record<string, EndpointSettings> {
  record.networkingConfig.EndpointsConfig ??= {};
  return record.networkingConfig.EndpointsConfig;
}

/** The networks a container wants to be on, that of its mode first: it gets `eth0`. */
export function wishedNetworks(record: EndpointOwner): string[] {
  const mode = record.hostConfig.NetworkMode || 'bridge';
  const names = Object.keys(record.networkingConfig.EndpointsConfig ?? {});
  return names.includes(mode) ? [mode, ...names.filter((name) => name !== mode)] : names;
}

/** What the stack is asked for one of a container's networks. Errors: `internal` for a malformed link, as Docker answers. */
export function endpointRequest(
  store: Pick<ContainerStore, 'resolve'>,
  record: EndpointOwner,
  network: string,
): EndpointRequest {
  const settings = record.networkingConfig.EndpointsConfig?.[network] ?? {};
  const { IPAMConfig, MacAddress, GwPriority, DriverOpts, NetworkID } = settings;
  // Once a container was on a network, another one of that name is not what it asked for.
  const request: EndpointRequest = { network: NetworkID || network };
  if (IPAMConfig?.IPv4Address) request.ipv4 = IPAMConfig.IPv4Address;
  if (IPAMConfig?.IPv6Address) request.ipv6 = IPAMConfig.IPv6Address;
  if (IPAMConfig?.LinkLocalIPs?.length) request.linkLocal = IPAMConfig.LinkLocalIPs;
  if (MacAddress) request.macAddress = MacAddress.replaceAll('-', ':');
  if (GwPriority) request.gwPriority = GwPriority;
  if (DriverOpts && Object.keys(DriverOpts).length > 0) request.driverOptions = DriverOpts;
  if (isPredefinedNetwork(network)) return request;
  request.dnsNames = dnsNames(record, network);
  const links = (settings.Links ?? []).map((link) => linkTo(store, link));
  if (links.length > 0) request.links = links;
  return request;
}

/** Names under which a container is found on a network of a user: its own, aliases, short id, hostname. */
export function dnsNames(record: EndpointOwner, network: string): string[] {
  const aliases = record.networkingConfig.EndpointsConfig?.[network]?.Aliases ?? [];
  const names = [record.name, ...aliases, shortId(record.id), record.config.Hostname ?? ''];
  return [...new Set(names.filter((name) => name !== ''))];
}

/** Keeps with the wishes (not yet saved) which networks they turned out to be, and the names there. */
export function noteEndpoints(record: EndpointOwner, sandbox: SandboxRecord): void {
  const settings = wishes(record);
  for (const { networkId, networkName } of sandbox.endpoints) {
    const wish = settings[networkName];
    if (!wish) continue;
    wish.NetworkID = networkId;
    if (!isPredefinedNetwork(networkName)) wish.DNSNames = dnsNames(record, networkName);
  }
}

/** A target named by its id is found by the name that its short id is. One that is not there is found when it comes. */
function linkTo(store: Pick<ContainerStore, 'resolve'>, link: string): EndpointLink {
  const parsed = parseLink(link);
  if (!parsed) throw new WharfError('internal', `bad format for links: ${link}`);
  const { alias } = parsed;
  const ref = parsed.ref.replace(/^\//, '');
  const target = targetOf(store, ref);
  if (!target) return { alias, name: ref };
  return { alias, containerId: target.id, name: target.id.startsWith(ref) ? shortId(target.id) : ref };
}
