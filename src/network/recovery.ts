import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf } from './builtin-networks.ts';
import { forwardWarnings } from './firewall/firewall.ts';
import { bridgeRules, driverOf, dropSandbox, type StackParts, targetsOf } from './parts.ts';
import type { SandboxRecord } from './types.ts';

/**
 * Makes the kernel what the records say, at a daemon's start. Live containers keep address and ports without a gap:
 * what is right already is not touched. Then whatever no live container owns goes.
 */
export async function recoverNetworks(parts: StackParts, live: ReadonlySet<string>): Promise<void> {
  const { kernel, config, networks, firewall, log } = parts;
  mkdirSync(parts.netnsDir, { recursive: true, mode: 0o711 });
  kernel.ensureBridge({ name: config.bridge, cidr: addressOf(networks.bridge.pools[0]!), mtu: config.mtu });
  for (const sandbox of [...parts.sandboxes.values()])
    if (!live.has(sandbox.containerId)) dropStale(parts, sandbox);
  for (const sandbox of parts.sandboxes.values()) await restore(parts, sandbox);
  dropStrays(parts);
  const targets = [...parts.sandboxes.values()].flatMap(targetsOf);
  if (firewall.ensure(bridgeRules(parts), targets))
    log.info('nft table built', { table: config.nftTable, ports: targets.length });
  kernel.allowLoopback(config.bridge);
  if (kernel.enableForwarding())
    log.warn('IPv4 forwarding was off on this host and is on now, for the containers', {
      bridge: config.bridge,
    });
  for (const warning of forwardWarnings(kernel, { table: config.nftTable, bridge: config.bridge }))
    log.warn(warning);
  parts.bridge.warmUp();
}

/** The table is made anew after this, and nothing of this daemon holds its ports yet. */
function dropStale(parts: StackParts, sandbox: SandboxRecord): void {
  dropSandbox(parts, { ...sandbox, ports: [] });
  parts.log.info('sandbox of a container that no longer runs dropped', { container: sandbox.containerId });
}

async function restore(parts: StackParts, sandbox: SandboxRecord): Promise<void> {
  const problems: string[] = [];
  for (const endpoint of sandbox.endpoints)
    problems.push(...(driverOf(parts, endpoint.networkId)?.restore(sandbox) ?? ['its network is gone']));
  const endpoint = sandbox.endpoints.find(({ ipv4 }) => ipv4);
  if (endpoint) {
    const { containerId } = sandbox;
    const owner = {
      containerId,
      name: containerId,
      endpointId: endpoint.endpointId,
      containerIp: endpoint.ipv4,
    };
    problems.push(...(await parts.ports.restore(sandbox.ports, owner)));
  }
  for (const problem of problems)
    parts.log.warn('network of a running container is not whole', {
      container: sandbox.containerId,
      problem,
    });
}

/**
 * Namespaces that a former daemon kept ready, or was about to record. Their links are deleted here and now, slow as it
 * is: they have addresses that nobody knows of, which are handed out again.
 */
function dropStrays(parts: StackParts): void {
  for (const pin of strayPins(parts)) parts.kernel.dropNamespace(pin);
  const known = new Set(parts.bridge.readyLinks());
  for (const { endpoints } of parts.sandboxes.values())
    for (const { hostInterface } of endpoints) known.add(hostInterface);
  for (const link of parts.kernel.bridgePorts(parts.config.bridge))
    if (link.startsWith('wv') && !known.has(link)) parts.kernel.deleteLink(link);
}

/** Paths in the directory of namespaces that neither a record nor a driver knows. */
export function strayPins(parts: StackParts): string[] {
  const known = new Set([...parts.sandboxes.values()].map(({ netnsPath }) => netnsPath));
  for (const driver of parts.drivers.values()) for (const pin of driver.readyPins()) known.add(pin);
  return entries(parts.netnsDir)
    .map((name) => join(parts.netnsDir, name))
    .filter((path) => !known.has(path));
}

function entries(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
