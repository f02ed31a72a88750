import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import type { EndpointSettings, NetworkingConfig } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { NetworkRecord } from '../../network/types.ts';
import { type FindNetwork, findNetwork } from './endpoints.ts';
import { isPredefinedNetwork, modeContainer } from './modes.ts';

const MAC = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i;
const INTERFACE_SYSCTL = /^net\.(ipv4|ipv6|mpls)\.[^.=]+\.IFNAME\.[^=]+=/;
/** The driver option of an endpoint that holds sysctls for its interface. */
const SYSCTLS = 'com.docker.network.endpoint.sysctls';

/**
 * The endpoints a container asks for, by the networks' names: those of the request, or that of its NetworkMode when it
 * names none; none at all with `container:`. Returns warnings too. Errors: `invalid`, with Docker's texts.
 */
export function normalizeNetworking(
  networks: FindNetwork,
  asked: NetworkingConfig | undefined,
  mode: string,
  containerWideMac: string | null | undefined,
): { networking: NetworkingConfig; warnings: string[] } {
  const endpoints: Record<string, EndpointSettings> = {};
  const given = asked?.EndpointsConfig ?? {};
  const names = Object.keys(given);
  const main = nameOf(networks, mode);
  if (names.length === 0 && modeContainer(mode) === undefined) endpoints[main] = {};
  const named = Object.entries(given).map(([ref, settings]) => ({ name: nameOf(networks, ref), settings }));
  // The network of the mode comes first, as it does at the start.
  for (const { name, settings } of named.sort((a, b) => Number(b.name === main) - Number(a.name === main))) {
    if (!settings)
      throw new WharfError('invalid', `invalid config for network ${name}: EndpointsConfig is nil`);
    // The stock client names the mode itself here (`--mac-address`), which Docker passes over.
    if (modeContainer(name) !== undefined) continue;
    if (modeContainer(mode) !== undefined) {
      throw new WharfError(
        'invalid',
        `conflicting options: cannot attach network ${name} to a container that shares the network of another`,
      );
    }
    endpoints[name] = askedSettings(settings);
  }
  const warnings = containerWideMac ? applyContainerMac(endpoints, main, mode, names, containerWideMac) : [];
  for (const [name, settings] of Object.entries(endpoints)) {
    const faults = [...macFaults(settings), ...endpointFaults(name, settings, findNetwork(networks, name))];
    if (faults.length > 0)
      throw new WharfError('invalid', `invalid config for network ${name}: ${faults[0]}`);
  }
  return { networking: { EndpointsConfig: endpoints }, warnings };
}

/** Checks what a container that exists asks for on one more network, which may be unknown. Errors: `invalid`, with Docker's texts. */
export function checkEndpoint(
  name: string,
  network: NetworkRecord | undefined,
  settings: EndpointSettings,
): void {
  const [fault] = [...endpointFaults(name, settings, network), ...macFaults(settings)];
  if (fault) throw new WharfError('invalid', fault);
}

/** What a client may ask of an endpoint; the rest of the type is the engine's answer. */
export function askedSettings(settings: EndpointSettings): EndpointSettings {
  const { IPAMConfig, Links, Aliases, MacAddress, DriverOpts, GwPriority } = settings;
  const asked: EndpointSettings = {};
  if (IPAMConfig) asked.IPAMConfig = IPAMConfig;
  if (Links) asked.Links = Links;
  if (Aliases) asked.Aliases = Aliases;
  if (MacAddress) asked.MacAddress = MacAddress;
  if (DriverOpts) asked.DriverOpts = DriverOpts;
  if (GwPriority) asked.GwPriority = GwPriority;
  return asked;
}

/** The network's name; a reference that fits no network may become one. */
function nameOf(networks: FindNetwork, ref: string): string {
  const name = ref === 'default' ? 'bridge' : ref;
  return isPredefinedNetwork(name) ? name : (findNetwork(networks, name)?.name ?? name);
}

function applyContainerMac(
  endpoints: Record<string, EndpointSettings>,
  main: string,
  mode: string,
  given: string[],
  mac: string,
): string[] {
  const own = endpoints[main];
  if (given.length > 0 && !given.includes(mode) && !isPredefinedNetwork(mode)) {
    throw new WharfError(
      'invalid',
      'unable to migrate container-wide MAC address to a specific network: HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks',
    );
  }
  if (own?.MacAddress && own.MacAddress !== mac) {
    throw new WharfError(
      'invalid',
      'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty',
    );
  }
  if (own) own.MacAddress = mac;
  return [
    'The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.',
  ];
}

function macFaults({ MacAddress: mac }: EndpointSettings): string[] {
  return mac && !MAC.test(mac) ? [`invalid MAC address ${mac}`] : [];
}

function endpointFaults(
  name: string,
  settings: EndpointSettings,
  network: NetworkRecord | undefined,
): string[] {
  const faults: string[] = [];
  const predefined = isPredefinedNetwork(name);
  const { IPv4Address: ipv4, IPv6Address: ipv6, LinkLocalIPs: linkLocal } = settings.IPAMConfig ?? {};
  if (predefined && (ipv4 || ipv6))
    faults.push('user specified IP address is supported on user defined networks only');
  if (predefined && settings.Aliases?.length)
    faults.push('network-scoped alias is supported only for containers in user defined networks');
  if (ipv4 && !isIPv4(ipv4)) faults.push(`invalid IPv4 address: ${ipv4}`);
  if (ipv6 && !isIPv6(ipv6)) faults.push(`invalid IPv6 address: ${ipv6}`);
  for (const address of linkLocal ?? []) {
    if (isIP(address) === 0) faults.push(`invalid link-local IP address: ${address}`);
  }
  if (predefined || network) faults.push(...rangeFaults(network, ipv4, ipv6));
  for (const sysctl of settings.DriverOpts?.[SYSCTLS]?.split(',') ?? []) {
    if (!INTERFACE_SYSCTL.test(sysctl)) faults.push(sysctlFault(sysctl));
  }
  if (faults.length === 0) return [];
  const lines = faults.length === 1 ? faults : faults.map((fault) => `* ${fault}`);
  return [`invalid endpoint settings:\n${lines.join('\n')}`];
}

function sysctlFault(sysctl: string): string {
  return `unrecognised network interface sysctl '${sysctl}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`;
}

/** An address may only be asked for where the user chose the subnet: one that was found could be another after the next renumbering. */
function rangeFaults(
  network: NetworkRecord | undefined,
  ipv4: string | undefined,
  ipv6: string | undefined,
): string[] {
  const wanted = [
    ...(ipv4 ? [{ address: ipv4, family: 4 }] : []),
    ...(ipv6 ? [{ address: ipv6, family: 6 }] : []),
  ];
  const faults = wanted.flatMap(({ address, family }) => {
    const own = fixedSubnets(network).filter((subnet) => isIP(subnet.split('/')[0] ?? '') === family);
    if (own.length === 0) {
      return [
        'user specified IP address is supported only when connecting to networks with user configured subnets',
      ];
    }
    if (own.some((subnet) => contains(subnet, address))) return [];
    return [`no configured subnet or ip-range contain the IP address ${address}`];
  });
  return [...new Set(faults)];
}

/** The default bridge's subnets are the daemon's configuration, as good as a user's. */
function fixedSubnets(network: NetworkRecord | undefined): string[] {
  const pools = network?.name === 'bridge' ? network.pools : network?.askedPools;
  return (pools ?? []).flatMap(({ subnet }) => (subnet ? [subnet] : []));
}

/** True when the address lies in the subnet (CIDR of either family). */
export function contains(subnet: string, address: string): boolean {
  const [base = '', prefix = ''] = subnet.split('/');
  const family = isIPv4(base) ? 'ipv4' : 'ipv6';
  if (isIP(base) !== isIP(address)) return false;
  const range = new BlockList();
  range.addSubnet(base, Number(prefix), family);
  return range.check(address, family);
}
