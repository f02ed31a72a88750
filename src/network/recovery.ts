import { mkdirSync } from 'node:fs';
import type { FirewallState } from './firewall/types.ts';
import { openBridge } from './network-create.ts';
import { dropLinks } from './network-remove.ts';
import { bookOf, holderOf, linkDriverOf, type PendingChange, rulesOf, type StackParts } from './parts.ts';
import { heldPorts, publishPlace, targetsOf } from './publishing.ts';
import { repairEndpoint, repairNetwork } from './repair.ts';
import { moveRoutes } from './routes.ts';
import { dropSandbox } from './sandbox-remove.ts';
import type { SandboxRecord } from './types.ts';

/**
 * Makes the kernel what the records say, at a daemon's start. Live containers keep addresses and ports without a gap:
 * what is right already is not touched. Then whatever no live container owns goes.
 */
export async function recoverNetworks(
  parts: StackParts,
  live: ReadonlySet<string>,
  netnsDir: string,
): Promise<void> {
  mkdirSync(netnsDir, { recursive: true, mode: 0o711 });
  const cut = parts.pending.all();
  // Before anything else is given an address.
  const problems = new Map([...parts.sandboxes].map(([id, sandbox]) => [id, claimAddresses(parts, sandbox)]));
  for (const network of parts.networks.values()) {
    try {
      repairNetwork(parts, network);
    } catch (thrown) {
      if (network.name === 'bridge') throw thrown;
      parts.log.warn('a network could not be made', { network: network.name, error: thrown });
    }
  }
  for (const change of cut) dropChange(parts, change);
  for (const sandbox of [...parts.sandboxes.values()])
    if (!live.has(sandbox.containerId)) dropStale(parts, sandbox);
  const touched = new Set(cut.map(({ endpoint }) => endpoint?.netnsPath));
  for (const sandbox of parts.sandboxes.values()) {
    await restore(parts, sandbox, problems.get(sandbox.sandboxId) ?? []);
    if (touched.has(sandbox.netnsPath) && parts.kernel.namespaces.isPinned(sandbox.netnsPath))
      moveRoutes(parts, sandbox.netnsPath, [], sandbox.endpoints);
  }
  dropStrays(parts);
  const state = wantedState(parts);
  if (parts.firewall.ensure(state))
    parts.log.info('nft table built', { table: parts.config.nftTable, ports: state.ports.length });
  for (const network of parts.networks.values()) {
    const bridge = rulesOf(parts, network)?.bridge;
    if (bridge !== undefined && parts.kernel.hasLink(bridge)) openBridge(parts, network, bridge);
  }
}

/** What the nft table shall hold now. */
export function wantedState(parts: StackParts): FirewallState {
  return {
    bridges: [...parts.networks.values()].flatMap((network) => rulesOf(parts, network) ?? []),
    ports: [...parts.sandboxes.values()].flatMap((sandbox) => targetsOf(parts, sandbox)),
  };
}

/** Paths in the directory of namespaces that no record knows, and that are not kept ready. */
export function strayPins(parts: StackParts): string[] {
  const known = new Set([...parts.sandboxes.values()].map(({ netnsPath }) => netnsPath));
  for (const pin of parts.prepared.pins()) known.add(pin);
  return parts.namespaces.strays(known);
}

/** Ports of own bridges that carry names as this engine gives them, and that no record knows. */
export function strayLinks(parts: StackParts): string[] {
  const known = new Set(parts.prepared.links());
  for (const { endpoints } of parts.sandboxes.values())
    for (const { hostInterface } of endpoints) known.add(hostInterface);
  for (const { hostInterface } of parts.opening) known.add(hostInterface);
  const own = new Set<string>();
  for (const network of parts.networks.values())
    if (!network.foreignLink) own.add(rulesOf(parts, network)?.bridge ?? '');
  const strays: string[] = [];
  for (const [name, { bridge }] of parts.kernel.links())
    if (
      bridge !== undefined &&
      own.has(bridge) &&
      /^wv[0-9a-f]{8}$/.test(name) &&
      !known.has(name) &&
      !parts.leaving.has(name)
    )
      strays.push(name);
  return strays;
}

/** Takes apart what a killed daemon had begun to make or to remove. */
function dropChange(parts: StackParts, { id, network, endpoint }: PendingChange): void {
  try {
    if (network && !parts.networks.has(network.id)) dropLinks(parts, network);
    if (endpoint) dropCutEndpoint(parts, endpoint);
  } catch (thrown) {
    parts.log.warn('what a killed daemon left could not be removed', { change: id, error: thrown });
    return;
  }
  parts.pending.delete(id);
  parts.log.info('a change that a killed daemon had begun was undone', { change: id });
}

function dropCutEndpoint(
  parts: StackParts,
  { record, netnsPath }: NonNullable<PendingChange['endpoint']>,
): void {
  const { hostInterface, interfaceName, endpointId } = record;
  for (const { endpoints } of parts.sandboxes.values())
    if (endpoints.some((each) => each.endpointId === endpointId)) return;
  if (hostInterface) parts.kernel.deleteLink(hostInterface);
  else if (parts.kernel.namespaces.isPinned(netnsPath))
    parts.kernel.namespaces.unplug(netnsPath, interfaceName);
}

/** The table is made anew after this, and nothing of this daemon holds its ports yet. */
function dropStale(parts: StackParts, sandbox: SandboxRecord): void {
  dropSandbox(parts, { ...sandbox, ports: [] });
  parts.log.info('sandbox of a container that no longer runs dropped', { container: sandbox.containerId });
}

/** Sentences about addresses that are not the sandbox's, and networks that are not. */
function claimAddresses(parts: StackParts, sandbox: SandboxRecord): string[] {
  const problems: string[] = [];
  for (const endpoint of sandbox.endpoints) {
    const network = parts.networks.get(endpoint.networkId);
    if (!network) problems.push(`network ${endpoint.networkName} is gone`);
    if (!network || !linkDriverOf(parts, network)) continue;
    const addresses = { ipv4: endpoint.ipv4, ipv6: endpoint.ipv6 ?? '' };
    problems.push(...bookOf(parts, network).claim(holderOf(endpoint), addresses));
  }
  return problems;
}

async function restore(parts: StackParts, sandbox: SandboxRecord, problems: string[]): Promise<void> {
  const { kernel, namespaces } = parts;
  if (namespaces.isHost(sandbox.netnsPath)) namespaces.host();
  else if (!kernel.namespaces.isPinned(sandbox.netnsPath))
    problems.push(`namespace ${sandbox.netnsPath} is gone; restart the container`);
  for (const endpoint of sandbox.endpoints) {
    const network = parts.networks.get(endpoint.networkId);
    if (network) problems.push(...repairEndpoint(parts, sandbox, network, endpoint));
  }
  const place = publishPlace(parts, sandbox);
  if (place) problems.push(...(await parts.ports.restore(heldPorts(sandbox.ports), place.owner)));
  try {
    parts.names.update(sandbox);
  } catch (thrown) {
    problems.push(`names are not answered: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
  const fields = { container: sandbox.containerId };
  for (const problem of problems)
    parts.log.warn('network of a running container is not whole', { ...fields, problem });
}

/**
 * Namespaces that a former daemon kept ready, or was about to record. Their links are deleted here and now, slow as it
 * is: they have addresses that nobody knows of, which are handed out again.
 */
function dropStrays(parts: StackParts): void {
  for (const pin of strayPins(parts)) parts.kernel.namespaces.drop(pin);
  for (const link of strayLinks(parts)) parts.kernel.deleteLink(link);
}
