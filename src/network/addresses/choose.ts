import { WharfError } from '../../base/index.ts';
import type { AddressPoolRecord, NetworkRecord, NetworkRequest } from '../types.ts';
import {
  bitsOf,
  canonicalAddress,
  type Family,
  formatAddress,
  formatRange,
  isDefaultLike,
  lastOf,
  overlaps,
  parseAddress,
  parseRange,
  type Range,
} from './address.ts';
import { type AskedPool, checkedPools } from './asked.ts';
import { choiceOf, usableOf } from './pool.ts';

/** What a choice of subnets depends on. Ranges are CIDRs. */
export interface ChoiceGround {
  /** Spaces from which subnets of `size` (a prefix length) are cut, both families. */
  spaces: readonly { base: string; size: number }[];
  /** The /48 of this engine, cut into /64s where `spaces` has no IPv6. */
  ulaPrefix: string;
  /** What addresses and routes of the host cover. */
  occupied: readonly string[];
  /** The networks there are. */
  networks: readonly Pick<NetworkRecord, 'pools'>[];
}

/** The parts of a request that matter here. */
export type PoolRequest = Pick<
  NetworkRequest,
  'driver' | 'options' | 'internal' | 'enableIPv4' | 'enableIPv6' | 'ipamDriver' | 'pools'
>;

/** RFC 4291, 2.5.1: interface identifiers have 64 bits. */
const IPV6_SUBNET = 64;

/**
 * The subnets of a new network with their gateways: those asked for, or one of each enabled family that touches no network and
 * nothing of the host. A subnet that was asked for may cover routes of the host, as with the Engine: its user knows. Errors,
 * in the Engine's words: `invalid`, `not-found` (IPAM driver), `forbidden` (overlaps another network), `conflict` (a gateway or
 * auxiliary address that can't be), `exhausted`.
 */
export function choosePools(request: PoolRequest, ground: ChoiceGround): AddressPoolRecord[] {
  checkDriver(request.ipamDriver ?? '');
  const families = enabledFamilies(request);
  const asked = checkedPools(request.pools ?? [], families);
  const used = ground.networks.flatMap(({ pools }) => pools.map(({ subnet }) => parseRange(subnet)));
  const found: AddressPoolRecord[] = [];
  for (const family of families) {
    const own = asked.filter(({ subnet }) => subnet.family === family);
    for (const pool of own) {
      if (used.some((range) => overlaps(range, pool.subnet)))
        throw new WharfError(
          'forbidden',
          'invalid pool request: Pool overlaps with other one on this address space',
        );
      used.push(pool.subnet);
    }
    const pools = own.length > 0 ? own : [{ subnet: freeSubnet(family, ground, used) }];
    found.push(...pools.map((pool) => poolRecord(pool, hasGateway(request, family))));
  }
  if (found.length > families.length && (request.driver || 'bridge') === 'bridge')
    throw new WharfError('forbidden', "bridge driver doesn't support multiple subnets");
  return found;
}

function checkDriver(name: string): void {
  if (name === '' || name === 'default') return;
  // The Engine's `null` driver gives addresses to no network that would take them.
  if (name === 'null') throw new WharfError('invalid', 'ipv4 pool is empty');
  throw new WharfError('not-found', `plugin "${name}" not found`);
}

function enabledFamilies({ enableIPv4 = true, enableIPv6 = false }: PoolRequest): Family[] {
  const families: Family[] = [...(enableIPv4 ? [4 as const] : []), ...(enableIPv6 ? [6 as const] : [])];
  if (families.length === 0) throw new WharfError('invalid', 'IPv4 or IPv6 must be enabled');
  return families;
}

/** An isolated bridge has no address, and an internal macvlan or ipvlan nobody to send to: no gateway is chosen there. */
function hasGateway({ driver, options, internal }: PoolRequest, family: Family): boolean {
  if (driver === 'macvlan' || driver === 'ipvlan') return !internal;
  return options?.[`com.docker.network.bridge.gateway_mode_ipv${family}`] !== 'isolated';
}

function freeSubnet(family: Family, { spaces, ulaPrefix, occupied }: ChoiceGround, used: Range[]): Range {
  const hosts = occupied.map(parseRange).filter((range) => !isDefaultLike(range));
  const inUse = [...used, ...hosts].filter((range) => range.family === family);
  inUse.sort((left, right) => (left.base < right.base ? -1 : 1));
  const given = spaces.map(({ base, size }) => ({ space: parseRange(base), size }));
  const own = given.filter(({ space }) => space.family === family);
  const fallback = family === 6 ? [{ space: parseRange(ulaPrefix), size: IPV6_SUBNET }] : [];
  for (const { space, size } of own.length > 0 ? own : fallback) {
    const subnet = cutSubnet(space, size, inUse);
    if (!subnet) continue;
    used.push(subnet);
    return subnet;
  }
  throw new WharfError('exhausted', 'all predefined address pools have been fully subnetted');
}

/** The first prefix of a size in a space that touches nothing in use. Goes from one obstacle's end to the next, so `inUse` is in the order of its bases. */
function cutSubnet(space: Range, size: number, inUse: readonly Range[]): Range | undefined {
  const { family } = space;
  const step = 1n << BigInt(bitsOf(family) - size);
  let base = space.base;
  for (const obstacle of inUse) {
    if (obstacle.base >= base + step) break;
    const end = lastOf(obstacle);
    if (end >= base) base = (end / step + 1n) * step;
  }
  return base + step - 1n <= lastOf(space) ? { family, base, prefix: size } : undefined;
}

function poolRecord(
  { subnet, ipRange, gateway, auxiliary }: AskedPool,
  wantsGateway: boolean,
): AddressPoolRecord {
  const { first, last } = usableOf(subnet);
  const taken = new Set<bigint>();
  const reserve = (text: string, what: string) => {
    const { value } = parseAddress(text);
    if (value < first || value > last || taken.has(value))
      throw new WharfError('conflict', `failed to allocate ${what}: Address already in use`);
    taken.add(value);
    return canonicalAddress(text);
  };
  let chosen = '';
  if (gateway) {
    // Asked for by its user, it may be any address that is neither the network's own nor its broadcast one.
    chosen = reserve(gateway, `gateway (${gateway})`);
  } else if (wantsGateway) {
    const choice = choiceOf(subnet, ipRange);
    if (choice.first > choice.last)
      throw new WharfError('exhausted', 'failed to allocate gateway (): no available addresses on this pool');
    taken.add(choice.first);
    chosen = formatAddress({ family: subnet.family, value: choice.first });
  }
  const others = Object.entries(auxiliary ?? {}).map(([name, text]) => [
    name,
    reserve(text, `secondary ip address (${name}:${text})`),
  ]);
  return {
    subnet: formatRange(subnet),
    gateway: chosen,
    ...(ipRange && { ipRange: formatRange(ipRange) }),
    ...(others.length > 0 && { auxiliary: Object.fromEntries(others) }),
  };
}
