import { isIP, isIPv4, isIPv6 } from 'node:net';
import type { EndpointSettings, NetworkingConfig } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { isPredefinedNetwork, modeContainer } from './modes.ts';

const MAC = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i;

/**
 * The endpoints a container asks for, by network: the one of its NetworkMode is always among them, except with
 * `container:` which has none. Returns warnings too. Errors: `invalid`, with Docker's texts.
 */
export function normalizeNetworking(
  asked: NetworkingConfig | undefined,
  mode: string,
  containerWideMac: string | null | undefined,
): { networking: NetworkingConfig; warnings: string[] } {
  const warnings: string[] = [];
  const endpoints: Record<string, EndpointSettings> = {};
  if (modeContainer(mode) === undefined) endpoints[mode] = {};
  for (const [name, settings] of Object.entries(asked?.EndpointsConfig ?? {})) {
    const network = name === 'default' ? 'bridge' : name;
    if (!settings) {
      throw new WharfError('invalid', `invalid config for network ${network}: EndpointsConfig is nil`);
    }
    if (modeContainer(mode) !== undefined) {
      throw new WharfError(
        'invalid',
        `conflicting options: cannot attach network ${network} to a container that shares the network of another`,
      );
    }
    endpoints[network] = { ...settings };
    if (Object.keys(settings.DriverOpts ?? {}).length) {
      warnings.push(`DriverOpts of the endpoint on network ${network} are not used by this engine.`);
    }
  }
  if (containerWideMac) {
    warnings.push(
      'The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.',
    );
    const own = endpoints[mode];
    if (own?.MacAddress && own.MacAddress !== containerWideMac) {
      throw new WharfError(
        'invalid',
        'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty',
      );
    }
    if (own) own.MacAddress = containerWideMac;
  }
  for (const [network, settings] of Object.entries(endpoints)) checkEndpoint(network, settings);
  return { networking: { EndpointsConfig: endpoints }, warnings };
}

function checkEndpoint(network: string, settings: EndpointSettings): void {
  if (settings.MacAddress && !MAC.test(settings.MacAddress)) {
    throw new WharfError(
      'invalid',
      `invalid config for network ${network}: invalid MAC address ${settings.MacAddress}`,
    );
  }
  const faults: string[] = [];
  const predefined = isPredefinedNetwork(network);
  const { IPv4Address: ipv4, IPv6Address: ipv6, LinkLocalIPs: linkLocal } = settings.IPAMConfig ?? {};
  const hasAddress = Boolean(ipv4 || ipv6);
  if (predefined && hasAddress)
    faults.push('user specified IP address is supported on user defined networks only');
  if (predefined && settings.Aliases?.length) {
    faults.push('network-scoped alias is supported only for containers in user defined networks');
  }
  if (ipv4 && !isIPv4(ipv4)) faults.push(`invalid IPv4 address: ${ipv4}`);
  if (ipv6 && !isIPv6(ipv6)) faults.push(`invalid IPv6 address: ${ipv6}`);
  for (const address of linkLocal ?? []) {
    if (isIP(address) === 0) faults.push(`invalid link-local IP address: ${address}`);
    else faults.push('link-local IP addresses are not supported by this engine');
  }
  if (predefined && hasAddress) {
    faults.push(
      'user specified IP address is supported only when connecting to networks with user configured subnets',
    );
  }
  if (faults.length === 0) return;
  const lines = faults.length === 1 ? faults : faults.map((fault) => `* ${fault}`);
  throw new WharfError(
    'invalid',
    `invalid config for network ${network}: invalid endpoint settings:\n${lines.join('\n')}`,
  );
}
