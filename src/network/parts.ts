import type { KeyedLock, Logger } from '../base/index.ts';
import { WharfError } from '../base/index.ts';
import type { Collection, Database } from '../meta/types.ts';
import type { AddressBook } from './addresses/types.ts';
import type { NetworkConfig } from './config.ts';
import type { NameService } from './dns/types.ts';
import { bridgeRules } from './drivers/bridge.ts';
import { bridgeOptions } from './drivers/options.ts';
import type { NetworkDriver } from './drivers/types.ts';
import type { BridgeRules, Firewall } from './firewall/types.ts';
import type { NetworkKernel } from './kernel.ts';
import type { LeavingLinks } from './leaving-links.ts';
import type { Namespaces } from './namespaces.ts';
import type { PreparedSandboxes } from './prepared.ts';
import type { Ports } from './publish/types.ts';
import type { EndpointRecord, NetworkKind, NetworkRecord, SandboxRecord } from './types.ts';

/**
 * A change that was begun: kernel objects which exist, or may, while no record of theirs does. Written before the first
 * of them is made, or with the removal of their record; whatever a killed daemon leaves here is taken apart by the next.
 */
export interface PendingChange {
  id: string;
  network?: NetworkRecord;
  endpoint?: { record: EndpointRecord; netnsPath: string };
}

/** Everything the stack stands on; its operations, recovery and verification see the same. */
export interface StackParts {
  kernel: NetworkKernel;
  config: NetworkConfig;
  database: Pick<Database, 'transaction'>;
  /** Durable records, and what is under way. */
  networkRecords: Collection<NetworkRecord>;
  sandboxRecords: Collection<SandboxRecord>;
  pending: Collection<PendingChange>;
  /** The same records in memory, by id: the truth while the daemon runs. */
  networks: Map<string, NetworkRecord>;
  sandboxes: Map<string, SandboxRecord>;
  byContainer: Map<string, SandboxRecord>;
  /** Endpoints of sandboxes that are being made, so that nobody removes their networks. */
  opening: Set<EndpointRecord>;
  leaving: LeavingLinks;
  drivers: ReadonlyMap<NetworkKind, NetworkDriver>;
  books: Map<string, AddressBook>;
  openBook(network: NetworkRecord, driver: NetworkDriver): AddressBook;
  firewall: Firewall;
  ports: Ports;
  names: NameService;
  namespaces: Namespaces;
  prepared: PreparedSandboxes;
  /** By sandbox id; `networks` for what changes the list of networks. */
  locks: KeyedLock;
  log: Logger;
}

/** The driver of a network that has links. Errors: `internal` for those without (`host`, `none`, sets of options). */
export function driverOf(parts: Pick<StackParts, 'drivers'>, network: NetworkRecord): NetworkDriver {
  const driver = linkDriverOf(parts, network);
  if (!driver) throw new WharfError('internal', `network ${network.name} has no links`);
  return driver;
}

/** The driver of a network that has links, or undefined. */
export function linkDriverOf(
  parts: Pick<StackParts, 'drivers'>,
  network: NetworkRecord,
): NetworkDriver | undefined {
  return network.configOnly ? undefined : parts.drivers.get(network.driver);
}

/** Who has which address on a network; opened at the first use. */
export function bookOf(parts: StackParts, network: NetworkRecord): AddressBook {
  const known = parts.books.get(network.id);
  if (known) return known;
  const book = parts.openBook(network, driverOf(parts, network));
  parts.books.set(network.id, book);
  return book;
}

/** Under which name an endpoint's addresses are taken: the host's interface, or where there is none its id. */
export function holderOf(endpoint: EndpointRecord): string {
  return endpoint.hostInterface || endpoint.endpointId;
}

/** The rules of a network, if it is one with a bridge. */
export function rulesOf(parts: Pick<StackParts, 'config'>, network: NetworkRecord): BridgeRules | undefined {
  if (network.driver !== 'bridge' || network.configOnly) return undefined;
  return bridgeRules(network, bridgeOptions(network, parts.config));
}

/** Keeps a sandbox in memory as it is now. */
export function remember(parts: StackParts, sandbox: SandboxRecord): void {
  parts.sandboxes.set(sandbox.sandboxId, sandbox);
  parts.byContainer.set(sandbox.containerId, sandbox);
}

/** The default bridge's network. */
export function defaultNetwork(parts: Pick<StackParts, 'networks'>): NetworkRecord {
  for (const network of parts.networks.values()) if (network.name === 'bridge') return network;
  throw new WharfError('internal', 'there is no network "bridge"');
}
