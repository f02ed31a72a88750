import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, KeyedLock, type Logger, systemClock } from '../base/index.ts';
import type { Collection, Database } from '../meta/types.ts';
import { openAddressBook } from './addresses/book.ts';
import { builtinNetworks } from './builtin-networks.ts';
import { type NetworkConfig, networkConfig } from './config.ts';
import { openNameService } from './dns/service.ts';
import type { NameService } from './dns/types.ts';
import { bridgeDriver } from './drivers/bridge.ts';
import { ipvlanDriver, macvlanDriver } from './drivers/parented.ts';
import { openFirewall } from './firewall/table.ts';
import type { Firewall } from './firewall/types.ts';
import { HostKernel } from './host-kernel.ts';
import { isInternalClient } from './internal-clients.ts';
import type { NetworkKernel } from './kernel.ts';
import { LeavingLinks } from './leaving-links.ts';
import { Namespaces } from './namespaces.ts';
import { ownLinks } from './network-create.ts';
import type { PendingChange, StackParts } from './parts.ts';
import { PreparedSandboxes } from './prepared.ts';
import { openPorts } from './publish/ports.ts';
import type { Ports } from './publish/types.ts';
import { HostNetworkStack } from './stack.ts';
import type { NetworkRecord, SandboxRecord } from './types.ts';

/** How long a released address is nobody's: as long as others may believe an answer of the name service. */
const QUARANTINE_MS = 10_000;

/** What a network stack is opened with. From `kernel` on they are replaced in tests only. */
export interface NetworkStackOptions {
  database: Pick<Database, 'collection' | 'transaction'>;
  /** Runtime state that need not survive a reboot; namespaces are pinned in `netns/` below it. */
  execRoot: string;
  config?: Partial<NetworkConfig>;
  log: Logger;
  kernel?: NetworkKernel;
  ports?: Ports;
  names?: NameService;
  firewall?: Firewall;
  clock?: Pick<Clock, 'monotonic'>;
}

/**
 * Opens the stack: loads networks and sandboxes, and chooses the subnets of the default bridge where none were chosen yet.
 * Nothing in the kernel is changed before `recover`, which must come first. Errors: `invalid` (configuration), `exhausted`
 * (no subnet is free).
 */
export function openNetworkStack(options: NetworkStackOptions): HostNetworkStack {
  const { database, log, execRoot } = options;
  const collections = openCollections(database);
  const config = networkConfig(options.config);
  config.ulaPrefix ??= ulaPrefix(collections.settings);
  const kernel = options.kernel ?? new HostKernel();
  const netnsDir = join(execRoot, 'netns');
  mkdirSync(netnsDir, { recursive: true, mode: 0o711 });
  const sandboxes = collections.sandboxes.all();
  const networks = new Map<string, NetworkRecord>();
  const parts: StackParts = {
    kernel,
    config,
    database,
    networkRecords: collections.networks,
    sandboxRecords: collections.sandboxes,
    pending: collections.pending,
    networks,
    sandboxes: new Map(sandboxes.map((sandbox) => [sandbox.sandboxId, sandbox])),
    byContainer: new Map(sandboxes.map((sandbox) => [sandbox.containerId, sandbox])),
    opening: new Set(),
    leaving: new LeavingLinks(kernel),
    drivers: new Map([
      ['bridge', bridgeDriver(kernel, config)],
      ['macvlan', macvlanDriver(kernel)],
      ['ipvlan', ipvlanDriver(kernel)],
    ]),
    books: new Map(),
    openBook: (network, { gone }) =>
      openAddressBook(network, { gone, clock: options.clock ?? systemClock, quarantineMs: QUARANTINE_MS }),
    firewall: options.firewall ?? openFirewall(kernel.rules, config.nftTable),
    ports:
      options.ports ??
      openPorts({
        log,
        obeyTable: `${config.nftTable}-obey`,
        refuses: (ip) => isInternalClient({ networks, config }, ip),
      }),
    names: options.names ?? openNameService({ network: (id) => networks.get(id) }, log),
    namespaces: new Namespaces({
      kernel: kernel.namespaces,
      dir: netnsDir,
      target: config.readySandboxes,
      log,
    }),
    // Set below, since what is made ahead is made by the parts themselves.
    prepared: undefined as unknown as PreparedSandboxes,
    locks: new KeyedLock(),
    log,
  };
  parts.prepared = new PreparedSandboxes(parts, config.readySandboxes, log);
  loadNetworks(parts);
  return new HostNetworkStack(parts, netnsDir);
}

/** One value that is chosen once and kept. */
interface Setting {
  name: string;
  value: string;
}

function openCollections(database: Pick<Database, 'collection'>): {
  networks: Collection<NetworkRecord>;
  sandboxes: Collection<SandboxRecord>;
  pending: Collection<PendingChange>;
  settings: Collection<Setting>;
} {
  return {
    networks: database.collection<NetworkRecord>({
      name: 'networks',
      key: ({ id }) => id,
      indexes: { name: { unique: true, of: ({ name }) => name } },
    }),
    sandboxes: database.collection<SandboxRecord>({
      name: 'sandboxes',
      key: ({ sandboxId }) => sandboxId,
      indexes: { container: { of: ({ containerId }) => containerId } },
    }),
    pending: database.collection<PendingChange>({ name: 'network_changes', key: ({ id }) => id }),
    settings: database.collection<Setting>({ name: 'network_settings', key: ({ name }) => name }),
  };
}

/** RFC 4193, 3.2: 40 random bits, chosen once. */
function ulaPrefix(settings: Collection<Setting>): string {
  const known = settings.get('ula-prefix');
  if (known) return known.value;
  const bits = `fd${randomBytes(5).toString('hex')}`;
  const value = `${bits.match(/..../g)?.join(':')}::/48`;
  settings.put({ name: 'ula-prefix', value });
  return value;
}

/** Built-in networks come first, then those of users in the order of their making. */
function loadNetworks(parts: StackParts): void {
  const { networkRecords, networks, config, kernel, database } = parts;
  const known = networkRecords.all();
  const others = known.filter(({ name }) => name !== 'bridge' && name !== 'host' && name !== 'none');
  others.sort((left, right) => (left.createdAt < right.createdAt ? -1 : 1));
  const links = () => new Set([config.bridge, ...ownLinks({ ...parts, networks: byId(others) })]);
  const ground = {
    spaces: config.defaultAddressPools,
    ulaPrefix: config.ulaPrefix ?? '',
    // Asked only when a subnet must be chosen.
    get occupied() {
      return kernel.occupiedRanges(links());
    },
    networks: others,
  };
  const builtin = Object.values(builtinNetworks(known, config, ground, parts.sandboxes.size > 0));
  database.transaction(() => {
    for (const network of builtin) if (changed(known, network)) networkRecords.put(network);
  });
  for (const network of [...builtin, ...others]) networks.set(network.id, network);
}

function byId(networks: readonly NetworkRecord[]): Map<string, NetworkRecord> {
  return new Map(networks.map((network) => [network.id, network]));
}

function changed(known: readonly NetworkRecord[], network: NetworkRecord): boolean {
  const before = known.find(({ id }) => id === network.id);
  return JSON.stringify(before) !== JSON.stringify(network);
}
