import { WharfError } from '../base/index.ts';
import { parseSubnet } from './addresses/address.ts';

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
  /** The one nft table (family `ip`) that holds all rules of this daemon. */
  nftTable: string;
  /** Namespaces kept ready for the next container; 0 makes each when it is asked for. */
  readySandboxes: number;
  /** Address that a published port without a host address is bound to. */
  hostBinding: string;
}

/** The Engine's own default pools: 172.17–172.31 by /16, then 192.168 by /20. */
const DEFAULT_POOLS: AddressSpace[] = [
  ...Array.from({ length: 15 }, (_, at) => ({ base: `172.${17 + at}.0.0/16`, size: 16 })),
  { base: '192.168.0.0/16', size: 20 },
];

/** Fills in defaults and checks names and addresses. Errors: `invalid`. */
export function networkConfig(given: Partial<NetworkConfig> = {}): NetworkConfig {
  const config: NetworkConfig = {
    bridge: given.bridge ?? 'wharf0',
    ...(given.bip ? { bip: given.bip } : {}),
    defaultAddressPools: given.defaultAddressPools?.length ? given.defaultAddressPools : DEFAULT_POOLS,
    mtu: given.mtu || 1500,
    nftTable: given.nftTable ?? 'wharf',
    readySandboxes: given.readySandboxes ?? 3,
    hostBinding: given.hostBinding || '0.0.0.0',
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
  if (config.bip) parseSubnet(config.bip);
  for (const { base, size } of config.defaultAddressPools) {
    const space = parseSubnet(base);
    if (size < space.prefix || size > 30)
      throw new WharfError('invalid', `invalid default address pool ${base}: size ${size} does not fit`);
  }
  return config;
}
