import { linkDriverOf, rulesOf, type StackParts } from './parts.ts';
import { strayLinks, strayPins, wantedState } from './recovery.ts';
import type { EndpointRecord, NetworkRecord, SandboxRecord } from './types.ts';

/** Differences between what the records say and what the kernel has, one sentence each; it changes nothing. */
export function verifyNetworks(parts: StackParts): string[] {
  const problems: string[] = [];
  for (const network of parts.networks.values())
    problems.push(...(linkDriverOf(parts, network)?.problems(network) ?? []));
  problems.push(...parts.firewall.problems(wantedState(parts)));
  const links = parts.kernel.links();
  for (const sandbox of parts.sandboxes.values()) problems.push(...sandboxProblems(parts, sandbox, links));
  problems.push(...parts.names.problems(), ...recordProblems(parts));
  for (const pin of strayPins(parts)) problems.push(`namespace ${pin} belongs to no container`);
  for (const link of strayLinks(parts)) problems.push(`link ${link} belongs to no container`);
  return problems;
}

function sandboxProblems(
  parts: StackParts,
  sandbox: SandboxRecord,
  links: ReturnType<StackParts['kernel']['links']>,
): string[] {
  const of = `of container ${sandbox.containerId.slice(0, 12)}`;
  const pinned = parts.kernel.namespaces.isPinned(sandbox.netnsPath);
  const problems = pinned ? [] : [`namespace ${sandbox.netnsPath} ${of} is gone; restart the container`];
  const plugged = sandbox.endpoints.filter(({ interfaceName }) => interfaceName);
  const inside =
    pinned && plugged.length > 0 ? parts.kernel.namespaces.interfaces(sandbox.netnsPath) : undefined;
  for (const endpoint of plugged) {
    const network = parts.networks.get(endpoint.networkId);
    if (!network) problems.push(`network ${endpoint.networkName} ${of} is gone`);
    else if (endpoint.hostInterface && !isAttached(parts, network, endpoint, links))
      problems.push(`link ${endpoint.hostInterface} ${of} is not on its bridge`);
    if (inside && !inside.has(endpoint.interfaceName))
      problems.push(`interface ${endpoint.interfaceName} ${of} is gone`);
  }
  return problems;
}

function isAttached(
  parts: StackParts,
  network: NetworkRecord,
  endpoint: EndpointRecord,
  links: ReturnType<StackParts['kernel']['links']>,
): boolean {
  const bridge = links.get(endpoint.hostInterface)?.bridge;
  return bridge !== undefined && bridge === rulesOf(parts, network)?.bridge;
}

/** What is in memory and what is stored must be the same, and nothing half done. */
function recordProblems(parts: StackParts): string[] {
  const problems: string[] = [];
  const stored = new Set(parts.sandboxRecords.all().map(({ sandboxId }) => sandboxId));
  for (const id of parts.sandboxes.keys())
    if (!stored.delete(id)) problems.push(`sandbox ${id} is not recorded`);
  for (const id of stored) problems.push(`sandbox ${id} is recorded and not known`);
  const networks = new Set(parts.networkRecords.all().map(({ id }) => id));
  for (const [id, { name }] of parts.networks)
    if (!networks.delete(id)) problems.push(`network ${name} is not recorded`);
  for (const id of networks) problems.push(`network ${id} is recorded and not known`);
  const opening = new Set([...parts.opening].map(({ endpointId }) => endpointId));
  for (const { id } of parts.pending.all())
    if (!opening.has(id)) problems.push(`change ${id} was begun and not ended`);
  return problems;
}
