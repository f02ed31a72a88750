import { newId, rfc3339Nano, systemClock, UndoStack, WharfError } from '../base/index.ts';
import { choosePools } from './addresses/choose.ts';
import { familyOptions } from './drivers/options.ts';
import { linkDriverOf, type PendingChange, rulesOf, type StackParts } from './parts.ts';
import type { NetworkKind, NetworkRecord, NetworkRequest } from './types.ts';

/** Names that mean something else wherever a network is named. */
const PREDEFINED = new Set(['bridge', 'host', 'none', 'default']);

/** See `NetworkStack.create`. Written as begun, made in the kernel, then recorded. */
export async function createNetwork(parts: StackParts, request: NetworkRequest): Promise<NetworkRecord> {
  checkRequest(parts, request);
  const asked = withConfiguration(parts, request);
  const wanted = { ...asked, ...familyOptions(asked) };
  const blank = blankRecord(parts, wanted);
  const driver = linkDriverOf(parts, blank);
  if (!driver) return record(parts, { ...blank, pools: [] });
  const completed = driver.complete(blank);
  const network = { ...completed, pools: choosePools(wanted, choiceGround(parts)) };
  checkBridgeName(parts, network);
  checkParent(parts, network);
  const link = driver.link(network);
  if (parts.kernel.hasLink(link)) {
    network.foreignLink = true;
    network.foreignAddresses = parts.kernel.addressesOf(link);
  }
  await using undo = new UndoStack(parts.log);
  const change: PendingChange = { id: network.id, network };
  parts.pending.put(change);
  undo.push('forget the change', () => void parts.pending.delete(change.id));
  undo.push('remove links', () => driver.remove(network));
  driver.ensure(network);
  const rules = rulesOf(parts, network);
  if (rules) {
    undo.push('remove rules', () => parts.firewall.apply({ remove: { bridges: [rules] } }));
    parts.firewall.apply({ add: { bridges: [rules] } });
    openBridge(parts, network, rules.bridge);
  }
  record(parts, network);
  undo.commit();
  return network;
}

/** What the kernel must do for a bridge that leads out; only after its rules stand. */
export function openBridge(parts: StackParts, network: NetworkRecord, bridge: string): void {
  const { kernel, config, log } = parts;
  if (network.enableIPv4) kernel.allowLoopback(bridge);
  if (!config.ipForward || network.internal) return;
  for (const family of [4, 6] as const) {
    if (!(family === 4 ? network.enableIPv4 : network.enableIPv6) || !kernel.enableForwarding(family))
      continue;
    log.warn(`IPv${family} forwarding was off on this host and is on now, for the containers`, { bridge });
  }
}

/** What a choice of subnets depends on now; networks of this engine stand for their own links. */
export function choiceGround(parts: StackParts, except?: string) {
  const networks = [...parts.networks.values()].filter(({ id }) => id !== except);
  return {
    spaces: parts.config.defaultAddressPools,
    ulaPrefix: parts.config.ulaPrefix ?? '',
    occupied: parts.kernel.occupiedRanges(ownLinks(parts)),
    networks,
  };
}

/** The links of the host that networks of this engine are on. */
export function ownLinks(parts: Pick<StackParts, 'networks' | 'drivers'>): Set<string> {
  const links = new Set<string>();
  for (const network of parts.networks.values())
    if (network.driver === 'bridge' && !network.configOnly)
      links.add(linkDriverOf(parts, network)?.link(network) ?? '');
  return links;
}

function record(parts: StackParts, network: NetworkRecord): NetworkRecord {
  parts.database.transaction(() => {
    parts.networkRecords.put(network);
    parts.pending.delete(network.id);
  });
  parts.networks.set(network.id, network);
  return network;
}

function checkRequest(parts: StackParts, request: NetworkRequest): void {
  const { name, driver = '', configOnly, configFrom } = request;
  if (name.trim() === '') throw new WharfError('invalid', 'invalid name: name is empty');
  if (PREDEFINED.has(name))
    throw new WharfError('forbidden', `operation is not permitted on predefined ${name} network `);
  for (const known of parts.networks.values())
    if (known.name === name) throw new WharfError('conflict', `network with name ${name} already exists`);
  if (configOnly && (request.internal || request.attachable || configFrom)) {
    const fields =
      'Network operator fields like [ ingress | internal | attachable | scope ] are not supported.';
    const text = `configuration network can only contain network specific fields. ${fields}`;
    throw new WharfError('forbidden', text);
  }
  if (driver === 'host' || driver === 'null')
    throw new WharfError('forbidden', `only one instance of "${driver}" network is allowed`);
  if (!configOnly && driver && !parts.drivers.has(driver as NetworkKind))
    throw new WharfError('not-found', `plugin "${driver}" not found`);
}

/** Takes the options of a configuration network over. Errors: `not-found`, `forbidden`, in the Engine's words. */
function withConfiguration(parts: StackParts, request: NetworkRequest): NetworkRequest {
  const { configFrom } = request;
  if (!configFrom) return request;
  const named = [...parts.networks.values()].find(({ name, id }) => name === configFrom || id === configFrom);
  if (!named?.configOnly)
    throw new WharfError('not-found', `configuration network "${configFrom}" does not exist`);
  const depends = 'are not supported if the network depends on a configuration network';
  if (count(request.options) > 0) throw new WharfError('forbidden', `network driver options ${depends}`);
  if (count(request.labels) > 0 || request.pools?.length || request.enableIPv6 || request.ipamDriver)
    throw new WharfError('forbidden', `user specified configurations ${depends}`);
  return {
    ...request,
    configFrom: named.name,
    options: named.options,
    labels: named.labels,
    enableIPv4: named.enableIPv4,
    enableIPv6: named.enableIPv6,
    ...(named.ipamOptions ? { ipamOptions: named.ipamOptions } : {}),
    ...(named.askedPools ? { pools: named.askedPools } : {}),
  };
}

function count(of: object | undefined): number {
  return Object.keys(of ?? {}).length;
}

function blankRecord(
  parts: StackParts,
  request: NetworkRequest & ReturnType<typeof familyOptions>,
): NetworkRecord {
  const { name, configOnly, configFrom, pools, ipamOptions, enableIPv4, enableIPv6, options } = request;
  const driver = (configOnly ? 'null' : request.driver || 'bridge') as NetworkKind;
  const defaults = configOnly ? {} : (parts.config.defaultNetworkOptions[driver] ?? {});
  return {
    id: newId(),
    name,
    driver,
    createdAt: rfc3339Nano(systemClock.nowNanos()),
    options: { ...defaults, ...options },
    labels: { ...request.labels },
    internal: request.internal ?? false,
    ...(request.attachable ? { attachable: true } : {}),
    enableIPv4,
    enableIPv6,
    pools: [],
    ...(ipamOptions ? { ipamOptions } : {}),
    ...(pools?.length ? { askedPools: pools } : {}),
    ...(configOnly ? { configOnly: true } : {}),
    ...(configFrom ? { configFrom } : {}),
  };
}

/** An interface that passes all of its parent's traffic through has it for itself. */
function checkParent(parts: StackParts, network: NetworkRecord): void {
  const { parent } = network.options;
  if (network.driver !== 'macvlan' || !parent) return;
  for (const { id, driver, options } of parts.networks.values()) {
    if (driver !== 'macvlan' || options['parent'] !== parent) continue;
    const used = `macvlan network ${id} is already using parent interface ${parent}`;
    if (network.options['macvlan_mode'] === 'passthru')
      throw new WharfError('invalid', `cannot use mode passthru, ${used}`);
    if (options['macvlan_mode'] === 'passthru') throw new WharfError('invalid', `${used} in mode passthru`);
  }
}

/** Two networks on one bridge would be one. */
function checkBridgeName(parts: StackParts, network: NetworkRecord): void {
  const own = rulesOf(parts, network)?.bridge;
  for (const other of own ? parts.networks.values() : []) {
    if (rulesOf(parts, other)?.bridge !== own) continue;
    const conflict = `cannot create network ${network.id} (${own}): conflicts with network ${other.id} (${own})`;
    throw new WharfError('forbidden', `${conflict}: networks have same bridge name`);
  }
}
