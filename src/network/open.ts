import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../base/index.ts';
import type { Database } from '../meta/types.ts';
import { builtinNetworks } from './builtin-networks.ts';
import { type NetworkConfig, networkConfig } from './config.ts';
import { BridgeDriver } from './drivers/bridge.ts';
import { hostDriver, type NetworkDriver, nullDriver } from './drivers/driver.ts';
import { Firewall } from './firewall/firewall.ts';
import { HostKernel } from './host-kernel.ts';
import type { NetworkKernel } from './kernel.ts';
import { PortTable } from './publish/publish.ts';
import { HostNetworkStack } from './stack.ts';
import type { NetworkRecord, SandboxRecord } from './types.ts';

/** What a network stack is opened with. `kernel` and `ports` are replaced in tests only. */
export interface NetworkStackOptions {
  database: Pick<Database, 'collection' | 'transaction'>;
  /** Runtime state that need not survive a reboot; namespaces are pinned in `netns/` below it. */
  execRoot: string;
  config?: Partial<NetworkConfig>;
  log: Logger;
  kernel?: NetworkKernel;
  ports?: PortTable;
}

/**
 * Opens the stack: loads networks and sandboxes, and chooses the subnet of the default bridge where none was chosen yet.
 * Nothing in the kernel is changed before `recover`, which must come first. Errors: `invalid` (configuration), `exhausted`
 * (no subnet is free).
 */
export function openNetworkStack(options: NetworkStackOptions): HostNetworkStack {
  const { database, log } = options;
  const config = networkConfig(options.config);
  const kernel = options.kernel ?? new HostKernel();
  const netnsDir = join(options.execRoot, 'netns');
  mkdirSync(netnsDir, { recursive: true, mode: 0o711 });
  const records = database.collection<NetworkRecord>({
    name: 'networks',
    key: ({ id }) => id,
    indexes: { name: { unique: true, of: ({ name }) => name } },
  });
  const stored = database.collection<SandboxRecord>({
    name: 'sandboxes',
    key: ({ sandboxId }) => sandboxId,
    indexes: { container: { of: ({ containerId }) => containerId } },
  });
  const sandboxes = new Map(stored.all().map((sandbox) => [sandbox.sandboxId, sandbox]));
  const known = records.all();
  const networks = builtinNetworks(
    known,
    config,
    () => kernel.occupiedRanges(config.bridge),
    sandboxes.size > 0,
  );
  database.transaction(() => {
    for (const network of Object.values(networks)) if (changed(known, network)) records.put(network);
  });
  const bridge = new BridgeDriver({ kernel, network: networks.bridge, config, netnsDir, log });
  return new HostNetworkStack({
    kernel,
    config,
    networks,
    drivers: new Map<string, NetworkDriver>([
      ['bridge', bridge],
      ['null', nullDriver(kernel, networks.none, netnsDir)],
      ['host', hostDriver(kernel, networks.host, netnsDir)],
    ]),
    bridge,
    firewall: new Firewall(kernel, config.nftTable),
    ports: options.ports ?? new PortTable({ hostBinding: config.hostBinding }),
    stored,
    sandboxes,
    netnsDir,
    log,
  });
}

function changed(known: readonly NetworkRecord[], network: NetworkRecord): boolean {
  const before = known.find(({ id }) => id === network.id);
  return JSON.stringify(before) !== JSON.stringify(network);
}
