import { readFileSync } from 'node:fs';
import { isIP, SocketAddress } from 'node:net';
import { WharfError } from '../../base/index.ts';
import type { PortRequest } from '../types.ts';
import { familyOf } from './held-port.ts';
import type { PortOwner } from './types.ts';

/** Requests that get one port together: the same container port on several addresses. */
export interface RequestGroup {
  /** Places in the list of requests, one for each address. */
  at: number[];
  hostIps: string[];
  request: PortRequest;
}

/**
 * Puts requests together as they are served: fixed ports first, then ranges, then any port, so that a free one is never
 * chosen where a fixed one is asked for. What asks for any port, or one of a range, on several addresses gets the same
 * number on all of them.
 */
export function groupRequests(
  requests: readonly PortRequest[],
  owner: PortOwner,
  hostHasIpv6: boolean,
): RequestGroup[] {
  const groups: RequestGroup[] = [];
  const open = new Map<string, RequestGroup>();
  for (const [at, request] of requests.entries()) {
    const hostIps = addressesOf(request, owner, hostHasIpv6);
    if (hostIps.length === 0) continue;
    const key = [request.protocol, request.containerPort, request.hostPort, request.hostPortEnd].join('/');
    const known = open.get(key);
    if (
      known &&
      !isFixed(request) &&
      !hostIps.some((ip) => known.hostIps.some((other) => overlap(ip, other)))
    ) {
      known.hostIps.push(...hostIps);
      known.at.push(...hostIps.map(() => at));
      continue;
    }
    const group = { at: hostIps.map(() => at), hostIps, request };
    open.set(key, group);
    groups.push(group);
  }
  return groups.sort((a, b) => rank(a.request) - rank(b.request));
}

function isFixed({ hostPort, hostPortEnd = hostPort }: PortRequest): boolean {
  return hostPort !== 0 && hostPortEnd === hostPort;
}

function rank(request: PortRequest): number {
  if (request.hostPort === 0) return 2;
  return isFixed(request) ? 0 : 1;
}

/** Whether two host addresses stand in each other's way on one port. Families do not: IPv6 sockets are IPv6 only. */
export function overlap(a: string, b: string): boolean {
  return a === b || (familyOf(a) === familyOf(b) && (isAny(a) || isAny(b)));
}

function isAny(ip: string): boolean {
  return ip === '0.0.0.0' || ip === '::';
}

/** The addresses on which a request is published. None for IPv4 in front of a container without it: nothing can carry that. */
function addressesOf({ hostIp }: PortRequest, owner: PortOwner, hostHasIpv6: boolean): string[] {
  const asked = hostIp || owner.hostBinding;
  const both = hostHasIpv6 ? ['0.0.0.0', '::'] : ['0.0.0.0'];
  const ips = asked ? [canonical(asked)] : both;
  return ips.filter((ip) => destinationIp(ip, owner) !== '');
}

/** Where a host address leads to: the container's address of the same family, else IPv6 to IPv4. Empty when nowhere. */
export function destinationIp(hostIp: string, { ipv4, ipv6 }: Pick<PortOwner, 'ipv4' | 'ipv6'>): string {
  return familyOf(hostIp) === 4 ? ipv4 : ipv6 || ipv4;
}

/** The one way to write an address; IPv4 within IPv6 is IPv4. */
function canonical(ip: string): string {
  const family = isIP(ip);
  if (family === 0 || ip.includes('%'))
    throw new WharfError('invalid', `invalid host address "${ip}" of a published port`);
  if (family === 4) return ip;
  const { address } = new SocketAddress({ address: ip, family: 'ipv6' });
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}

/** Yields host ports to be tried, in their order. Any port goes round in `range`, after the one that was given last. */
export function* candidates(
  { hostPort, hostPortEnd = hostPort }: PortRequest,
  [low, high]: readonly [number, number],
  cursor: number,
): Generator<number> {
  if (hostPort !== 0) {
    for (let port = hostPort; port <= hostPortEnd; port++) yield port;
    return;
  }
  const size = high - low + 1;
  for (let step = 0; step < size; step++) yield low + ((cursor - low + step) % size);
}

/** The range of ip(7) `ip_local_port_range`, from which the Engine takes free ports, too. */
export function ephemeralRange(): [number, number] {
  const [low, high] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number);
  return low && high && low < high ? [low, high] : [32768, 60999];
}

/** Whether the host speaks IPv6 at all. */
export function speaksIpv6(): boolean {
  try {
    return readFileSync('/proc/sys/net/ipv6/conf/all/disable_ipv6', 'utf8').trim() === '0';
  } catch {
    return false;
  }
}
