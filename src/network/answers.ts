import { hostResolverConfig } from './dns/resolver.ts';
import { exposures } from './exposure.ts';
import { forwardWarnings } from './firewall/warnings.ts';
import { clashes } from './host-routes.ts';
import { findNetwork } from './lookup.ts';
import { ownLinks } from './network-create.ts';
import { rulesOf, type StackParts } from './parts.ts';
import type { Exposure, InterfaceCounters, NetworkRecord, SandboxRecord } from './types.ts';
import { verifyNetworks } from './verify.ts';

/** What a network stack answers without changing anything; see the contract for what each method promises. */
export class NetworkAnswers {
  protected readonly parts: StackParts;

  constructor(parts: StackParts) {
    this.parts = parts;
  }

  list(): NetworkRecord[] {
    return [...this.parts.networks.values()];
  }

  get(nameOrId: string): NetworkRecord {
    return findNetwork(this.list(), nameOrId);
  }

  sandbox(sandboxId: string): SandboxRecord | undefined {
    return this.parts.sandboxes.get(sandboxId);
  }

  sandboxOf(containerId: string): SandboxRecord | undefined {
    return this.parts.byContainer.get(containerId);
  }

  sandboxes(): SandboxRecord[] {
    return [...this.parts.sandboxes.values()];
  }

  hostGateway(network: string): string | undefined {
    return this.get(network).pools[0]?.gateway || undefined;
  }

  resolverConfig(): { nameservers: string[]; search: string[]; options: string[] } {
    return hostResolverConfig();
  }

  async counters(sandboxId: string): Promise<Record<string, InterfaceCounters>> {
    const sandbox = this.parts.sandboxes.get(sandboxId);
    const names = sandbox?.endpoints.flatMap(({ interfaceName }) => interfaceName || []) ?? [];
    return sandbox && names.length > 0 ? this.parts.kernel.namespaces.counters(sandbox.netnsPath, names) : {};
  }

  exposure(): Exposure[] {
    return exposures(this.parts);
  }

  async verify(): Promise<string[]> {
    return verifyNetworks(this.parts);
  }

  warnings(networkId?: string): string[] {
    const occupied = this.parts.kernel.occupiedRanges(ownLinks(this.parts));
    const concerned = this.list().filter(({ id }) => networkId === undefined || id === networkId);
    return [...this.forwardWarnings(concerned), ...clashes(concerned, occupied)];
  }

  protected forwardWarnings(networks: readonly NetworkRecord[] = this.list()): string[] {
    const { kernel, config } = this.parts;
    const bridges = networks.flatMap((network) => rulesOf(this.parts, network) ?? []);
    return forwardWarnings(kernel.rules, { table: config.nftTable, bridges });
  }
}
