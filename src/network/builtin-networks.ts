import { newId, rfc3339Nano, systemClock } from '../base/index.ts';
import { contains, formatAddress, formatRange, parseCidr, parseRange } from './addresses/address.ts';
import { type ChoiceGround, choosePools } from './addresses/choose.ts';
import type { NetworkConfig } from './config.ts';
import type { AddressPoolRecord, NetworkRecord, NetworkRequest } from './types.ts';

/** The three networks every daemon has. */
export interface BuiltinNetworks {
  bridge: NetworkRecord;
  host: NetworkRecord;
  none: NetworkRecord;
}

/**
 * The built-in networks: those stored, with what the configuration says now; the rest new. The subnets of the bridge are
 * chosen once and kept. `pinned` keeps them even against the configuration, while containers have addresses in them.
 * Errors: those of `choosePools`.
 */
export function builtinNetworks(
  stored: readonly NetworkRecord[],
  config: NetworkConfig,
  ground: ChoiceGround,
  pinned: boolean,
): BuiltinNetworks {
  const old = (name: string) => stored.find((network) => network.name === name);
  const bridge = old('bridge') ?? empty('bridge', 'bridge');
  return {
    bridge: {
      ...bridge,
      enableIPv6: pinned ? bridge.enableIPv6 : config.ipv6,
      pools: pinned && bridge.pools.length > 0 ? bridge.pools : bridgePools(bridge.pools, config, ground),
      options: bridgeOptions(config),
    },
    host: old('host') ?? empty('host', 'host'),
    none: old('none') ?? empty('none', 'null'),
  };
}

type Asked = NonNullable<NetworkRequest['pools']>[number];

function bridgePools(
  before: readonly AddressPoolRecord[],
  config: NetworkConfig,
  ground: ChoiceGround,
): AddressPoolRecord[] {
  const { bip, bip6, fixedCidr, fixedCidrV6, defaultGateway, defaultGatewayV6, ipv6 } = config;
  const four = asked(before, 4, bip, fixedCidr, defaultGateway && { DefaultGatewayIPv4: defaultGateway });
  const six = asked(
    before,
    6,
    bip6,
    fixedCidrV6,
    defaultGatewayV6 && { DefaultGatewayIPv6: defaultGatewayV6 },
  );
  const pools = [...(four ? [four] : []), ...(six && ipv6 ? [six] : [])];
  return choosePools({ driver: 'bridge', enableIPv6: ipv6, pools }, ground);
}

/** What one family's pool must be: as configured, or as it was; undefined lets it be chosen. */
function asked(
  before: readonly AddressPoolRecord[],
  family: 4 | 6,
  address: string | undefined,
  range: string | undefined,
  auxiliary: Record<string, string> | '' | undefined,
): Asked | undefined {
  const old = before.find(({ subnet }) => parseRange(subnet).family === family);
  const fits = old && (!range || contains(parseRange(old.subnet), parseCidr(range).address));
  const more = { ...(range ? { ipRange: range } : {}), ...(auxiliary ? { auxiliary } : {}) };
  if (address) {
    const own = parseCidr(address);
    return { subnet: formatRange(own.range), gateway: formatAddress(own.address), ...more };
  }
  if (fits) return { subnet: old.subnet, gateway: old.gateway, ...more };
  return range ? { subnet: formatRange(parseRange(range)), ...more } : undefined;
}

function bridgeOptions(config: NetworkConfig): Record<string, string> {
  return {
    'com.docker.network.bridge.default_bridge': 'true',
    'com.docker.network.bridge.enable_icc': String(config.icc),
    'com.docker.network.bridge.enable_ip_masquerade': String(config.ipMasq),
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
