import { newId, rfc3339Nano, systemClock } from '../base/index.ts';
import { formatIpv4, formatSubnet, parseSubnet } from './addresses/address.ts';
import { chooseSubnet, type Range } from './addresses/pools.ts';
import type { NetworkConfig } from './config.ts';
import type { NetworkRecord } from './types.ts';

/** The three networks every daemon has. */
export interface BuiltinNetworks {
  bridge: NetworkRecord;
  host: NetworkRecord;
  none: NetworkRecord;
}

/**
 * The built-in networks: those stored, with what the configuration says now; the rest new. The subnet of the bridge is
 * chosen once and kept. `inUse` is asked only when one must be chosen; `pinned` keeps it even against the configuration,
 * while containers have addresses in it. Errors: `exhausted` when no subnet is free.
 */
export function builtinNetworks(
  stored: readonly NetworkRecord[],
  config: NetworkConfig,
  inUse: () => readonly Range[],
  pinned: boolean,
): BuiltinNetworks {
  const old = (name: string) => stored.find((network) => network.name === name);
  const bridge = old('bridge') ?? empty('bridge', 'bridge');
  const pool = bridge.pools[0];
  const keep = pool !== undefined && (pinned || !config.bip || config.bip === addressOf(pool));
  return {
    bridge: {
      ...bridge,
      pools: keep ? bridge.pools : [newPool(config, inUse)],
      options: bridgeOptions(config),
    },
    host: old('host') ?? empty('host', 'host'),
    none: old('none') ?? empty('none', 'null'),
  };
}

/** A pool's gateway with the prefix length: the address of the bridge. */
export function addressOf(pool: { subnet: string; gateway: string }): string {
  return `${pool.gateway}/${parseSubnet(pool.subnet).prefix}`;
}

function newPool(config: NetworkConfig, inUse: () => readonly Range[]): { subnet: string; gateway: string } {
  if (config.bip) {
    const { address, base, prefix } = parseSubnet(config.bip);
    return { subnet: formatSubnet({ base, prefix }), gateway: formatIpv4(address) };
  }
  const subnet = chooseSubnet(config.defaultAddressPools, inUse());
  return { subnet, gateway: formatIpv4(parseSubnet(subnet).base + 1) };
}

function bridgeOptions(config: NetworkConfig): Record<string, string> {
  return {
    'com.docker.network.bridge.default_bridge': 'true',
    'com.docker.network.bridge.enable_icc': 'true',
    'com.docker.network.bridge.enable_ip_masquerade': 'true',
    'com.docker.network.bridge.host_binding_ipv4': config.hostBinding,
    'com.docker.network.bridge.name': config.bridge,
    'com.docker.network.driver.mtu': String(config.mtu),
  };
}

function empty(name: string, driver: NetworkRecord['driver']): NetworkRecord {
  return {
    id: newId(),
    name,
    driver,
    createdAt: rfc3339Nano(systemClock.nowNanos()),
    options: {},
    labels: {},
    internal: false,
    enableIPv4: true,
    enableIPv6: false,
    pools: [],
  };
}
