import { attachEndpoint } from './endpoints.ts';
import { holderOf, linkDriverOf, rulesOf, type StackParts } from './parts.ts';
import { moveRoutes } from './routes.ts';
import type { EndpointRecord, NetworkRecord, SandboxRecord } from './types.ts';

/** How long after the first of several changes the links are looked at. In milliseconds. */
const GATHER_MS = 500;

/**
 * Puts right what an outsider did to the links of this engine: bridges deleted or taken down, interfaces that are gone or
 * on another bridge. Event-driven; one look for all changes of half a second, which costs one listing of links.
 */
export function watchLinks(parts: StackParts): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    timer = undefined;
    try {
      for (const problem of repairLinks(parts))
        parts.log.warn('a link of the containers was put right', { problem });
    } catch (thrown) {
      parts.log.warn('links of the containers could not be put right', { error: thrown });
    }
  };
  const watch = parts.kernel.watchRoutes(() => {
    timer ??= setTimeout(look, GATHER_MS).unref();
  });
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      watch[Symbol.dispose]();
    },
  };
}

/** One look; what was wrong, one sentence each. */
export function repairLinks(parts: StackParts): string[] {
  const links = parts.kernel.links();
  const problems: string[] = [];
  const broken = new Set<string>();
  for (const network of parts.networks.values()) {
    const bridge = rulesOf(parts, network)?.bridge;
    if (bridge === undefined || links.get(bridge)?.up) continue;
    problems.push(`bridge ${bridge} of network ${network.name} was ${links.has(bridge) ? 'down' : 'gone'}`);
    repairNetwork(parts, network);
    broken.add(network.id);
  }
  for (const sandbox of parts.sandboxes.values()) {
    for (const endpoint of sandbox.endpoints) {
      const network = parts.networks.get(endpoint.networkId);
      if (!network || !endpoint.hostInterface) continue;
      const link = links.get(endpoint.hostInterface);
      if (link && link.bridge === rulesOf(parts, network)?.bridge && !broken.has(network.id)) continue;
      problems.push(`link ${endpoint.hostInterface} of network ${network.name} was loose`);
      repairEndpoint(parts, sandbox, network, endpoint);
    }
  }
  const own = parts.config.bridge;
  if (parts.prepared.links().some((link) => links.get(link)?.bridge !== own)) parts.prepared.flush();
  return problems;
}

/** Makes a network's links what they should be. */
export function repairNetwork(parts: StackParts, network: NetworkRecord): void {
  linkDriverOf(parts, network)?.ensure(network);
  const rules = rulesOf(parts, network);
  if (rules?.ipv4) parts.kernel.allowLoopback(rules.bridge);
}

/** Brings a live sandbox's interface back; sentences about what can't be brought back. */
export function repairEndpoint(
  parts: StackParts,
  sandbox: SandboxRecord,
  network: NetworkRecord,
  endpoint: EndpointRecord,
): string[] {
  const { kernel } = parts;
  const driver = linkDriverOf(parts, network);
  if (!driver || !kernel.namespaces.isPinned(sandbox.netnsPath)) return [];
  const problems = driver.restore(network, endpoint);
  if (kernel.namespaces.interfaces(sandbox.netnsPath).has(endpoint.interfaceName)) return problems;
  try {
    attachEndpoint(parts, endpoint, sandbox.netnsPath);
    moveRoutes(parts, sandbox.netnsPath, [], sandbox.endpoints);
    return [];
  } catch (thrown) {
    const what = `interface ${endpoint.interfaceName} (${holderOf(endpoint)}) could not be made again`;
    return [...problems, `${what}: ${thrown instanceof Error ? thrown.message : thrown}`];
  }
}
