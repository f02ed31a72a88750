import type { Logger } from '../base/index.ts';
import type { Collection } from '../meta/types.ts';
import type { BuiltinNetworks } from './builtin-networks.ts';
import type { NetworkConfig } from './config.ts';
import type { BridgeDriver } from './drivers/bridge.ts';
import type { NetworkDriver } from './drivers/driver.ts';
import type { Firewall } from './firewall/firewall.ts';
import type { BridgeRules, PortTarget } from './firewall/rules.ts';
import type { NetworkKernel } from './kernel.ts';
import { type PortTable, portTargets } from './publish/publish.ts';
import type { SandboxRecord } from './types.ts';

/** Everything the stack stands on; recovery and verification see the same. */
export interface StackParts {
  kernel: NetworkKernel;
  config: NetworkConfig;
  networks: BuiltinNetworks;
  drivers: ReadonlyMap<string, NetworkDriver>;
  bridge: BridgeDriver;
  firewall: Firewall;
  ports: PortTable;
  /** Durable sandbox records. */
  stored: Collection<SandboxRecord>;
  /** The same records in memory, by id: the truth while the daemon runs. */
  sandboxes: Map<string, SandboxRecord>;
  netnsDir: string;
  log: Logger;
}

/** Rules of the default bridge. */
export function bridgeRules(parts: StackParts): BridgeRules {
  return { bridge: parts.config.bridge, subnet: parts.networks.bridge.pools[0]!.subnet };
}

/** Where a sandbox's published ports lead. */
export function targetsOf(sandbox: SandboxRecord): PortTarget[] {
  const containerIp = sandbox.endpoints.find((endpoint) => endpoint.ipv4)?.ipv4;
  return containerIp ? portTargets(sandbox.ports, containerIp) : [];
}

/** Takes a sandbox apart: ports first, so that nobody is sent to an address that is another's soon; the record last, so that a crash finds it again. */
export function dropSandbox(parts: StackParts, sandbox: SandboxRecord): void {
  const targets = targetsOf(sandbox);
  try {
    parts.firewall.remove(targets);
  } catch (thrown) {
    // The table may have been flushed by others; recovery rebuilds it without this sandbox.
    parts.log.warn('published ports were not in the nft table', {
      sandbox: sandbox.sandboxId,
      error: thrown,
    });
  }
  parts.ports.release(sandbox.ports);
  const driver = sandbox.endpoints[0] ? driverOf(parts, sandbox.endpoints[0].networkId) : undefined;
  (driver ?? parts.drivers.get('null'))?.release(sandbox);
  parts.stored.delete(sandbox.sandboxId);
  parts.sandboxes.delete(sandbox.sandboxId);
}

/** The driver of a network by the network's id. */
export function driverOf(parts: StackParts, networkId: string): NetworkDriver | undefined {
  const network = Object.values(parts.networks).find(({ id }) => id === networkId);
  return network && parts.drivers.get(network.driver);
}
