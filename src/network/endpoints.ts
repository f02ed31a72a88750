import { isIP, isIPv4 } from 'node:net';
import { newId, WharfError } from '../base/index.ts';
import { contains, parseAddress, parseRange } from './addresses/address.ts';
import { checkInterfaceName, IFNAME, interfacePrefix, interfaceSysctls } from './drivers/options.ts';
import { isLayer3 } from './drivers/parented.ts';
import { findNetwork } from './lookup.ts';
import type { OpenNamespace } from './namespaces.ts';
import { bookOf, driverOf, holderOf, type StackParts } from './parts.ts';
import type { AddressPoolRecord, EndpointRecord, EndpointRequest, NetworkRecord } from './types.ts';

/** An endpoint without an interface of its own. */
export function bareEndpoint(network: NetworkRecord): EndpointRecord {
  return {
    endpointId: newId(),
    networkId: network.id,
    networkName: network.name,
    macAddress: '',
    ipv4: '',
    ipv4PrefixLen: 0,
    ipv4Gateway: '',
    interfaceName: '',
    hostInterface: '',
  };
}

/**
 * Plans an endpoint and puts its interface into the namespace; default routes are the caller's. `others` are the sandbox's
 * endpoints so far. Nothing is left when it fails. Errors: as `NetworkStack.createSandbox`.
 */
export function openEndpoint(
  parts: StackParts,
  request: EndpointRequest,
  { sandboxId, netnsPath }: OpenNamespace,
  others: readonly EndpointRecord[],
): EndpointRecord {
  const endpoint = planEndpoint(parts, request, sandboxId, others);
  try {
    attachEndpoint(parts, endpoint, netnsPath);
  } catch (thrown) {
    closeEndpoint(parts, endpoint);
    throw thrown;
  }
  return endpoint;
}

/** Puts the interface of a planned endpoint into the namespace. */
export function attachEndpoint(parts: StackParts, endpoint: EndpointRecord, netnsPath: string): void {
  const network = findNetwork([...parts.networks.values()], endpoint.networkId);
  driverOf(parts, network).attach(network, endpoint, netnsPath);
}

/** Chooses an endpoint's names and takes its addresses; the kernel is not touched. */
export function planEndpoint(
  parts: StackParts,
  request: EndpointRequest,
  sandboxId: string,
  others: readonly EndpointRecord[],
): EndpointRecord {
  const network = findNetwork([...parts.networks.values()], request.network);
  const driver = driverOf(parts, network);
  checkRequest(network, request);
  const endpointId = newId();
  const linkLocal = request.linkLocal?.map(linkLocalCidr);
  const interfaceName = chooseName(network, request, others);
  // The names come before the addresses, since the addresses are held under them; the hardware address follows from the addresses.
  const { hostInterface } = driver.plan(network, sandboxId, endpointId, '');
  const holder = hostInterface || endpointId;
  const wanted = {
    ...(request.ipv4 ? { ipv4: request.ipv4 } : {}),
    ...(request.ipv6 ? { ipv6: request.ipv6 } : {}),
  };
  const { ipv4, ipv6 } = bookOf(parts, network).take(holder, wanted);
  const { macAddress } = driver.plan(network, sandboxId, endpointId, ipv4);
  const pool4 = poolOf(network, ipv4);
  const pool6 = poolOf(network, ipv6);
  return {
    endpointId,
    networkId: network.id,
    networkName: network.name,
    macAddress: request.macAddress?.toLowerCase() || macAddress,
    ipv4,
    ipv4PrefixLen: prefixOf(pool4),
    ipv4Gateway: gatewayOf(network, pool4, 'DefaultGatewayIPv4'),
    ...(ipv6
      ? { ipv6, ipv6PrefixLen: prefixOf(pool6), ipv6Gateway: gatewayOf(network, pool6, 'DefaultGatewayIPv6') }
      : {}),
    ...(linkLocal?.length ? { linkLocal } : {}),
    interfaceName,
    hostInterface,
    ...carried(request),
  };
}

/** Frees an endpoint's addresses; they rest until its interface is gone. */
export function closeEndpoint(parts: StackParts, endpoint: EndpointRecord): void {
  const network = parts.networks.get(endpoint.networkId);
  if (!network || !endpoint.interfaceName) return;
  if (endpoint.hostInterface) parts.leaving.add(endpoint.hostInterface);
  parts.ports.forget([endpoint.ipv4, endpoint.ipv6 ?? '']);
  bookOf(parts, network).release(holderOf(endpoint), { ipv4: endpoint.ipv4, ipv6: endpoint.ipv6 ?? '' });
}

/** What of a request goes into the record as it is. */
export function carried(request: EndpointRequest): Partial<EndpointRecord> {
  const { gwPriority, driverOptions, dnsNames, links } = request;
  return {
    ...(gwPriority ? { gwPriority } : {}),
    ...(driverOptions && Object.keys(driverOptions).length > 0 ? { driverOptions } : {}),
    ...(dnsNames?.length ? { dnsNames } : {}),
    ...(links?.length ? { links } : {}),
  };
}

/** Refuses hardware addresses that are none, with the Engine's text. */
export function checkMac(mac: string | undefined): void {
  if (mac && !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac))
    throw new WharfError('invalid', `invalid MAC address: address ${mac}: invalid MAC address`);
}

function checkRequest(network: NetworkRecord, request: EndpointRequest): void {
  checkMac(request.macAddress);
  if ((request.ipv4 || request.ipv6) && network.name === 'bridge')
    throw new WharfError('invalid', 'user specified IP address is supported on user defined networks only');
  const probe = { driverOptions: request.driverOptions ?? {}, interfaceName: 'eth0' };
  interfaceSysctls(probe);
}

/** `eth0`, the lowest that is free, or the name that was asked for. */
function chooseName(
  network: NetworkRecord,
  request: EndpointRequest,
  others: readonly EndpointRecord[],
): string {
  const taken = new Set(['lo', ...others.map(({ interfaceName }) => interfaceName)]);
  const asked = request.driverOptions?.[IFNAME];
  if (asked) {
    checkInterfaceName(asked);
    if (taken.has(asked))
      throw new WharfError('conflict', `error renaming interface to "${asked}": file exists`);
    return asked;
  }
  const prefix = interfacePrefix(network);
  for (let at = 0; ; at++) if (!taken.has(`${prefix}${at}`)) return `${prefix}${at}`;
}

/** The pool that an address lies in. */
function poolOf(network: NetworkRecord, address: string): AddressPoolRecord | undefined {
  if (!address) return undefined;
  const wanted = parseAddress(address);
  return network.pools.find(({ subnet }) => contains(parseRange(subnet), wanted));
}

function prefixOf(pool: AddressPoolRecord | undefined): number {
  return Number(pool?.subnet.split('/')[1] ?? 0);
}

/** None where packets shall not leave the network, or find their way alone. */
function gatewayOf(network: NetworkRecord, pool: AddressPoolRecord | undefined, name: string): string {
  if (!pool || network.internal || isLayer3(network)) return '';
  return pool.auxiliary?.[name] ?? pool.gateway;
}

/** `169.254.8.8` → with the prefix of the family's link-local range. Errors: `invalid` with the Engine's text. */
function linkLocalCidr(text: string): string {
  const address = text.split('/')[0] ?? '';
  if (isIPv4(address) && address.startsWith('169.254.')) return `${address}/16`;
  if (isIP(address) === 6 && /^fe[89ab]/i.test(address)) return `${address}/64`;
  throw new WharfError('invalid', `invalid link local IP address: ${text}`);
}
