import { WharfError } from '../base/index.ts';
import { choosePools } from './addresses/choose.ts';
import { findNetwork } from './lookup.ts';
import { choiceGround } from './network-create.ts';
import { linkDriverOf, rulesOf, type StackParts } from './parts.ts';
import type { NetworkRecord, NetworkRequest } from './types.ts';

/** See `NetworkStack.remove`. The record goes first, so that nobody joins; what is left of it is written as pending until it is gone. */
export function removeNetwork(parts: StackParts, ref: string): NetworkRecord {
  const network = checkRemove(parts, ref);
  parts.database.transaction(() => {
    parts.networkRecords.delete(network.id);
    parts.pending.put({ id: network.id, network });
  });
  parts.networks.delete(network.id);
  parts.books.delete(network.id);
  const rules = rulesOf(parts, network);
  if (rules) parts.firewall.apply({ remove: { bridges: [rules] } });
  dropLinks(parts, network);
  parts.pending.delete(network.id);
  return network;
}

/** See `NetworkStack.checkRemove`. */
export function checkRemove(parts: StackParts, ref: string, gone?: ReadonlySet<string>): NetworkRecord {
  const network = findNetwork([...parts.networks.values()], ref);
  checkRemovable(parts, network, gone);
  return network;
}

/** Removes the links of a network that is recorded no more. A parent that another network is on stays. */
export function dropLinks(parts: StackParts, network: NetworkRecord): void {
  const driver = linkDriverOf(parts, network);
  const link = driver?.link(network);
  const shared = [...parts.networks.values()].find(
    (other) => other.id !== network.id && linkDriverOf(parts, other)?.link(other) === link,
  );
  if (!driver) return;
  if (!shared || network.foreignLink) {
    driver.remove(network);
    return;
  }
  // Whoever uses the link last takes it away.
  const { foreignLink: _, ...heir } = shared;
  parts.networkRecords.put(heir);
  parts.networks.set(heir.id, heir);
}

/** See `NetworkStack.renumber`. */
export function renumberNetwork(
  parts: StackParts,
  ref: string,
  pools: NetworkRequest['pools'],
): NetworkRecord {
  const network = findNetwork([...parts.networks.values()], ref);
  const driver = linkDriverOf(parts, network);
  if (!driver || network.name === 'bridge')
    throw new WharfError('forbidden', `${network.name} is a pre-defined network and cannot be renumbered`);
  const active = activeEndpoints(parts, network);
  if (active.length > 0) throw new WharfError('conflict', inUse('renumbering', network, active));
  const { options, internal, enableIPv4, enableIPv6, askedPools: _, ...rest } = network;
  const request = {
    driver: network.driver,
    options,
    internal,
    enableIPv4,
    enableIPv6,
    ...(pools ? { pools } : {}),
  };
  const next: NetworkRecord = {
    ...rest,
    options,
    internal,
    enableIPv4,
    enableIPv6,
    // Addresses that nobody names are others than now; those that are named may lie where the network is.
    pools: choosePools(request, choiceGround(parts, pools?.length ? network.id : undefined)),
    ...(pools?.length ? { askedPools: pools } : {}),
  };
  replace(parts, network, next);
  try {
    driver.ensure(next);
  } catch (thrown) {
    replace(parts, next, network);
    throw thrown;
  }
  return next;
}

/** The record first: what a killed daemon left half done is made to agree with it. */
function replace(parts: StackParts, old: NetworkRecord, next: NetworkRecord): void {
  parts.networkRecords.put(next);
  parts.networks.set(next.id, next);
  parts.books.delete(next.id);
  const [before, after] = [rulesOf(parts, old), rulesOf(parts, next)];
  if (before && after) parts.firewall.apply({ remove: { bridges: [before] }, add: { bridges: [after] } });
}

function checkRemovable(
  parts: StackParts,
  network: NetworkRecord,
  gone: ReadonlySet<string> = new Set(),
): void {
  const predefined = network.driver === 'host' || (network.driver === 'null' && !network.configOnly);
  if (predefined || network.name === 'bridge')
    throw new WharfError('forbidden', `${network.name} is a pre-defined network and cannot be removed`);
  const dependent = [...parts.networks.values()].some(
    ({ id, configFrom }) => configFrom === network.name && !gone.has(id),
  );
  if (network.configOnly && dependent) {
    const text = `error while removing network: configuration network "${network.name}" is in use`;
    throw new WharfError('forbidden', text);
  }
  const active = activeEndpoints(parts, network);
  if (active.length > 0) throw new WharfError('forbidden', inUse('removing', network, active));
}

function inUse(doing: string, network: NetworkRecord, active: readonly string[]): string {
  return `error while ${doing} network: network ${network.name} has active endpoints (${active.join(', ')})`;
}

/** As the Engine names them: `name:"web" id:"91d8657f7fa4"`, in the order of the names. */
function activeEndpoints(parts: StackParts, network: NetworkRecord): string[] {
  const found: { name: string; id: string }[] = [];
  for (const sandbox of parts.sandboxes.values())
    for (const { networkId, endpointId } of sandbox.endpoints)
      if (networkId === network.id)
        found.push({ name: sandbox.containerName ?? sandbox.containerId, id: endpointId });
  const known = new Set(found.map(({ id }) => id));
  for (const { networkId, endpointId } of parts.opening)
    if (networkId === network.id && !known.has(endpointId)) found.push({ name: '', id: endpointId });
  found.sort((left, right) => (left.name < right.name ? -1 : 1));
  return found.map(({ name, id }) => `name:"${name}" id:"${id.slice(0, 12)}"`);
}
