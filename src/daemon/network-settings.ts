import { WharfError } from '../base/index.ts';
import type { AddressSpace, NetworkConfig } from '../network/index.ts';
import type { ValueReader } from './value-reader.ts';

/** What the configuration says of networks. */
export interface NetworkSettings {
  /** As the network stack takes it; what is left out is its default. */
  config: Partial<NetworkConfig> & { bridge: string; nftTable: string; defaultAddressPools: AddressSpace[] };
  hostGatewayIp: string | undefined;
  dns: string[];
  dnsOpts: string[];
  dnsSearch: string[];
}

/** Reads the options on networks. Errors: `invalid`. */
export function networkSettings(read: ValueReader): NetworkSettings {
  const bridge = read.string('bridge', 'wharf0');
  return {
    config: {
      bridge,
      nftTable: read.string('nft-table', bridge === 'wharf0' ? 'wharf' : `wharf-${bridge}`),
      defaultAddressPools: read.list('default-address-pool', []).map(parsePool),
      mtu: read.number('mtu', 1500),
      hostBinding: read.string('ip', '0.0.0.0'),
      publishPolicy: read.choice('publish-policy', ['open', 'obey'] as const, 'open'),
      icc: read.boolean('icc', true),
      ipMasq: read.boolean('ip-masq', true),
      ipForward: read.boolean('ip-forward', true),
      ipv6: read.boolean('ipv6', false),
      allowDirectRouting: read.boolean('allow-direct-routing', false),
      defaultNetworkOptions: defaultOptions(read.list('default-network-opt', [])),
      ...present({
        bip: read.optional('bip'),
        bip6: read.optional('bip6'),
        fixedCidr: read.optional('fixed-cidr'),
        fixedCidrV6: read.optional('fixed-cidr-v6'),
        defaultGateway: read.optional('default-gateway'),
        defaultGatewayV6: read.optional('default-gateway-v6'),
      }),
    },
    hostGatewayIp: read.optional('host-gateway-ip'),
    dns: read.list('dns', []),
    dnsOpts: read.list('dns-opt', []),
    dnsSearch: read.list('dns-search', []),
  };
}

/** The entries that have a value. */
function present<K extends string>(values: Record<K, string | undefined>): Partial<Record<K, string>> {
  const found = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(found) as Partial<Record<K, string>>;
}

function parsePool(text: string): AddressSpace {
  const match = /^base=([^,]+),size=(\d{1,3})$/.exec(text);
  if (!match)
    throw new WharfError('invalid', `invalid default address pool "${text}": base=CIDR,size=N is needed`);
  return { base: match[1] as string, size: Number(match[2]) };
}

/** `bridge=com.docker.network.driver.mtu=1400`, as dockerd writes it: by driver, then option. */
function defaultOptions(texts: readonly string[]): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  for (const text of texts) {
    const match = /^([a-z]+)=([^=]+)=(.*)$/s.exec(text);
    if (!match)
      throw new WharfError(
        'invalid',
        `invalid default network option "${text}": driver=option=value is needed`,
      );
    const [, driver = '', option = '', value = ''] = match;
    found[driver] = { ...found[driver], [option]: value };
  }
  return found;
}
