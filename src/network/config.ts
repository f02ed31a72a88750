import { WharfError } from '../base/index.ts';
import { bitsOf, parseCidr } from './addresses/address.ts';
import type { PublishPolicy } from './publish/types.ts';

/** An address space from which subnets of `size` (a prefix length) are cut. */
export interface AddressSpace {
  base: string;
  size: number;
}

/** What a daemon is told about its networks. Every kernel object carries a name from here, so that daemons do not meet. */
export interface NetworkConfig {
  /** Name of the default bridge; at most 15 characters. */
  bridge: string;
  /** Address and prefix of the default bridge, `10.1.0.1/16`; undefined lets the daemon choose. */
  bip?: string;
  /** Spaces from which subnets are chosen when the user names none. */
  defaultAddressPools: AddressSpace[];
  /** In bytes, for bridge and container interfaces. */
  mtu: number;
  /** The one nft table (family `inet`) that holds all rules of this daemon. */
  nftTable: string;
  /** Namespaces kept ready for the next container; 0 makes each when it is asked for. */
  readySandboxes: number;
  /** Address that a published port without a host address is bound to. */
  hostBinding: string;
  /** Whether the host's own input rules count for published ports; a network's `wharf.publish-policy` goes before it. */
  publishPolicy: PublishPolicy;
  /** Whether containers on the default bridge reach each other. */
  icc: boolean;
  /** Whether containers on the default bridge are hidden behind the host's address outward. */
  ipMasq: boolean;
  /** Whether forwarding may be turned on in the kernel where a network needs it. */
  ipForward: boolean;
  /** Ranges (CIDR) of the default bridge from which its addresses are chosen. */
  fixedCidr?: string;
  fixedCidrV6?: string;
  /** Whether the default bridge has IPv6, too. */
  ipv6: boolean;
  /** IPv6 address and prefix of the default bridge, `fd00::1/64`. */
  bip6?: string;
  /** Where containers on the default bridge send what leaves it, instead of to the bridge. */
  defaultGateway?: string;
  defaultGatewayV6?: string;
  /** Options that new networks get, by driver, where their user gives none. */
  defaultNetworkOptions: Record<string, Record<string, string>>;
  /** The /48 from which IPv6 subnets are cut; undefined lets the daemon choose one, once (RFC 4193). */
  ulaPrefix?: string;
  /** Whether neighbours on any interface may reach every port of containers by a direct route. */
  allowDirectRouting: boolean;
}

/** The Engine's own default pools, 172.17–172.31 by /16, then 192.168 by /20; and 512 small ones for hosts with many networks. */
const DEFAULT_POOLS: AddressSpace[] = [
  ...Array.from({ length: 15 }, (_, at) => ({ base: `172.${17 + at}.0.0/16`, size: 16 })),
  { base: '192.168.0.0/16', size: 20 },
  { base: '10.200.0.0/15', size: 24 },
];

const OPTIONAL = [
  'bip',
  'bip6',
  'fixedCidr',
  'fixedCidrV6',
  'defaultGateway',
  'defaultGatewayV6',
  'ulaPrefix',
] as const;

/** Fills in defaults and checks names and addresses. Errors: `invalid`. */
export function networkConfig(given: Partial<NetworkConfig> = {}): NetworkConfig {
  const config: NetworkConfig = {
    bridge: given.bridge ?? 'wharf0',
    defaultAddressPools: given.defaultAddressPools?.length ? given.defaultAddressPools : DEFAULT_POOLS,
    mtu: given.mtu || 1500,
    nftTable: given.nftTable ?? 'wharf',
    readySandboxes: given.readySandboxes ?? 3,
    hostBinding: given.hostBinding || '0.0.0.0',
    publishPolicy: given.publishPolicy ?? 'open',
    icc: given.icc ?? true,
    ipMasq: given.ipMasq ?? true,
    ipForward: given.ipForward ?? true,
    ipv6: given.ipv6 ?? false,
    allowDirectRouting: given.allowDirectRouting ?? false,
    defaultNetworkOptions: given.defaultNetworkOptions ?? {},
    ...Object.fromEntries(OPTIONAL.flatMap((name) => (given[name] ? [[name, given[name]]] : []))),
  };
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,14}$/.test(config.bridge))
    throw new WharfError(
      'invalid',
      `invalid bridge name "${config.bridge}": 15 characters of A–Z, 0–9, _ . -`,
    );
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(config.nftTable))
    throw new WharfError('invalid', `invalid nft table name "${config.nftTable}"`);
  if (config.mtu < 68 || config.mtu > 65535)
    throw new WharfError('invalid', `invalid mtu ${config.mtu}: 68 to 65535`);
  checkRanges(config);
  return config;
}

function checkRanges({
  bip,
  bip6,
  fixedCidr,
  fixedCidrV6,
  ulaPrefix,
  defaultAddressPools,
}: NetworkConfig): void {
  for (const [option, family, cidr] of [
    ['bip', 4, bip],
    ['bip6', 6, bip6],
    ['fixed-cidr', 4, fixedCidr],
    ['fixed-cidr-v6', 6, fixedCidrV6],
    ['ula-prefix', 6, ulaPrefix],
  ] as const)
    if (cidr && parseCidr(cidr).range.family !== family)
      throw new WharfError('invalid', `${option} takes a CIDR of IPv${family}: "${cidr}"`);
  for (const { base, size } of defaultAddressPools) {
    const { family, prefix } = parseCidr(base).range;
    if (size < prefix || size > bitsOf(family) - 2)
      throw new WharfError('invalid', `invalid default address pool ${base}: size ${size} does not fit`);
  }
}
