import { addressOf } from './builtin-networks.ts';
import { bridgeRules, type StackParts, targetsOf } from './parts.ts';
import { strayPins } from './recovery.ts';
import type { SandboxRecord } from './types.ts';

/** Differences between what the records say and what the kernel has, one sentence each; it changes nothing. */
export function verifyNetworks(parts: StackParts): string[] {
  const { kernel, config, networks, firewall } = parts;
  const cidr = addressOf(networks.bridge.pools[0]!);
  const problems = kernel.bridgeProblems({ name: config.bridge, cidr });
  const targets = [...parts.sandboxes.values()].flatMap(targetsOf);
  problems.push(...firewall.problems(bridgeRules(parts), targets));
  const attached = kernel.bridgePorts(config.bridge);
  for (const sandbox of parts.sandboxes.values())
    problems.push(...sandboxProblems(sandbox, kernel.isPinned(sandbox.netnsPath), attached));
  const stored = new Set(parts.stored.all().map(({ sandboxId }) => sandboxId));
  for (const id of parts.sandboxes.keys())
    if (!stored.delete(id)) problems.push(`sandbox ${id} is not recorded`);
  for (const id of stored) problems.push(`sandbox ${id} is recorded and not known`);
  for (const pin of strayPins(parts)) problems.push(`namespace ${pin} belongs to no container`);
  return problems;
}

function sandboxProblems(sandbox: SandboxRecord, pinned: boolean, attached: ReadonlySet<string>): string[] {
  const of = `of container ${sandbox.containerId.slice(0, 12)}`;
  const problems = pinned ? [] : [`namespace ${sandbox.netnsPath} ${of} is gone`];
  for (const { hostInterface } of sandbox.endpoints)
    if (hostInterface && !attached.has(hostInterface))
      problems.push(`link ${hostInterface} ${of} is not on its bridge`);
  return problems;
}
