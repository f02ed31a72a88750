import { UndoStack, WharfError } from '../base/index.ts';
import { hostResolverConfig } from './dns/resolver.ts';
import type { NetworkDriver, OpenedSandbox } from './drivers/driver.ts';
import { forwardWarnings } from './firewall/firewall.ts';
import { findNetwork } from './lookup.ts';
import { dropSandbox, type StackParts, targetsOf } from './parts.ts';
import { recoverNetworks } from './recovery.ts';
import type {
  EndpointRequest,
  InterfaceCounters,
  NetworkRecord,
  NetworkStack,
  PortRequest,
  SandboxRecord,
} from './types.ts';
import { verifyNetworks } from './verify.ts';

/** What a container asks for. `containerName` is shown in errors. */
export interface SandboxRequest {
  containerId: string;
  containerName?: string;
  endpoints: EndpointRequest[];
  ports: PortRequest[];
}

/** The network stack of one daemon; see the contract for what each method promises. */
export class HostNetworkStack implements NetworkStack {
  private readonly parts: StackParts;
  private readonly byContainer = new Map<string, SandboxRecord>();

  constructor(parts: StackParts) {
    this.parts = parts;
    for (const sandbox of parts.sandboxes.values()) this.byContainer.set(sandbox.containerId, sandbox);
  }

  list(): NetworkRecord[] {
    const { bridge, host, none } = this.parts.networks;
    return [bridge, host, none];
  }

  get(nameOrId: string): NetworkRecord {
    return findNetwork(this.list(), nameOrId);
  }

  async createSandbox(request: SandboxRequest): Promise<SandboxRecord> {
    const { stored, sandboxes, firewall, ports, log } = this.parts;
    const stale = this.byContainer.get(request.containerId);
    if (stale) await this.removeSandbox(stale.sandboxId);
    await using undo = new UndoStack(log);
    const { driver, opened } = this.open(request.endpoints);
    undo.push('drop namespace', () => driver.cancel(opened));
    const { sandboxId, netnsPath, endpoint } = opened;
    const record: SandboxRecord = {
      sandboxId,
      containerId: request.containerId,
      netnsPath,
      endpoints: request.endpoints.length > 0 ? [endpoint] : [],
      ports: [],
    };
    if (request.ports.length > 0 && endpoint.ipv4) {
      record.ports = await ports.reserve(request.ports, {
        containerId: request.containerId,
        name: request.containerName ?? request.containerId.slice(0, 12),
        endpointId: endpoint.endpointId,
        containerIp: endpoint.ipv4,
      });
      undo.push('free ports', () => ports.release(record.ports));
      firewall.add(targetsOf(record));
      undo.push('unpublish', () => firewall.remove(targetsOf(record)));
    }
    stored.put(record);
    sandboxes.set(sandboxId, record);
    this.byContainer.set(record.containerId, record);
    undo.commit();
    return record;
  }

  sandbox(sandboxId: string): SandboxRecord | undefined {
    return this.parts.sandboxes.get(sandboxId);
  }

  sandboxOf(containerId: string): SandboxRecord | undefined {
    return this.byContainer.get(containerId);
  }

  sandboxes(): SandboxRecord[] {
    return [...this.parts.sandboxes.values()];
  }

  async removeSandbox(sandboxId: string): Promise<void> {
    const sandbox = this.parts.sandboxes.get(sandboxId);
    if (!sandbox) return;
    dropSandbox(this.parts, sandbox);
    this.byContainer.delete(sandbox.containerId);
  }

  hostGateway(network: string): string | undefined {
    return this.get(network).pools[0]?.gateway;
  }

  resolverConfig(): { nameservers: string[]; search: string[]; options: string[] } {
    return hostResolverConfig();
  }

  async counters(sandboxId: string): Promise<Record<string, InterfaceCounters>> {
    const sandbox = this.parts.sandboxes.get(sandboxId);
    const names = sandbox?.endpoints.flatMap(({ interfaceName }) => interfaceName || []) ?? [];
    return sandbox && names.length > 0 ? this.parts.kernel.counters(sandbox.netnsPath, names) : {};
  }

  async recover(liveContainerIds: ReadonlySet<string>): Promise<void> {
    await recoverNetworks(this.parts, liveContainerIds);
    this.byContainer.clear();
    for (const sandbox of this.parts.sandboxes.values()) this.byContainer.set(sandbox.containerId, sandbox);
  }

  async verify(): Promise<string[]> {
    return verifyNetworks(this.parts);
  }

  /** Sentences for the Engine's `info`: what on this host stands in the containers' way. */
  warnings(): string[] {
    const { kernel, config } = this.parts;
    return forwardWarnings(kernel, { table: config.nftTable, bridge: config.bridge });
  }

  async close({ removeKernelObjects }: { removeKernelObjects: boolean }): Promise<void> {
    const { kernel, drivers, ports, sandboxes, firewall, config } = this.parts;
    const last = sandboxes.size === 0;
    for (const [kind, driver] of drivers) if (last || kind === 'bridge') driver.close();
    ports.releaseAll();
    if (removeKernelObjects && last) {
      firewall.drop();
      if (kernel.hasLink(config.bridge)) kernel.deleteLink(config.bridge);
    }
    kernel[Symbol.dispose]();
  }

  private open(endpoints: readonly EndpointRequest[]): { driver: NetworkDriver; opened: OpenedSandbox } {
    const [first, ...more] = endpoints;
    if (more.length > 0)
      throw new WharfError('not-implemented', 'a container on several networks needs user-defined networks');
    const network = first ? this.get(first.network) : this.parts.networks.none;
    const driver = this.parts.drivers.get(network.driver);
    if (!driver) throw new WharfError('not-implemented', `network driver ${network.driver} is not available`);
    return { driver, opened: driver.open(first ?? { network: network.name }) };
  }
}
