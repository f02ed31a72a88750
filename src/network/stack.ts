import { NetworkAnswers } from './answers.ts';
import { watchClashes } from './host-routes.ts';
import { createNetwork, ownLinks } from './network-create.ts';
import { checkRemove, removeNetwork, renumberNetwork } from './network-remove.ts';
import type { StackParts } from './parts.ts';
import { linkDriverOf } from './parts.ts';
import { recoverNetworks, wantedState } from './recovery.ts';
import { watchLinks } from './repair.ts';
import { connectSandbox, disconnectSandbox, renameSandbox } from './sandbox-change.ts';
import { createSandbox } from './sandbox-create.ts';
import { dropSandbox } from './sandbox-remove.ts';
import type {
  EndpointRequest,
  NetworkRecord,
  NetworkRequest,
  NetworkStack,
  SandboxRecord,
  SandboxRequest,
} from './types.ts';

/** What changes the list of networks is done one after the other. */
const NETWORKS = 'networks';

/** The network stack of one daemon; see the contract for what each method promises. */
export class HostNetworkStack extends NetworkAnswers implements NetworkStack {
  private readonly netnsDir: string;
  private watchers: Disposable[] = [];

  constructor(parts: StackParts, netnsDir: string) {
    super(parts);
    this.netnsDir = netnsDir;
  }

  async create(request: NetworkRequest): Promise<NetworkRecord> {
    return this.parts.locks.with(NETWORKS, () => createNetwork(this.parts, request));
  }

  async remove(nameOrId: string): Promise<NetworkRecord> {
    return this.parts.locks.with(NETWORKS, async () => removeNetwork(this.parts, nameOrId));
  }

  checkRemove(nameOrId: string, gone?: ReadonlySet<string>): NetworkRecord {
    return checkRemove(this.parts, nameOrId, gone);
  }

  async renumber(nameOrId: string, pools?: NetworkRequest['pools']): Promise<NetworkRecord> {
    return this.parts.locks.with(NETWORKS, async () => renumberNetwork(this.parts, nameOrId, pools));
  }

  async createSandbox(request: SandboxRequest): Promise<SandboxRecord> {
    const stale = this.parts.byContainer.get(request.containerId);
    if (stale) await this.removeSandbox(stale.sandboxId);
    return createSandbox(this.parts, request);
  }

  async connect(sandboxId: string, request: EndpointRequest): Promise<SandboxRecord> {
    return this.parts.locks.with(sandboxId, () => connectSandbox(this.parts, sandboxId, request));
  }

  async disconnect(sandboxId: string, networkId: string): Promise<SandboxRecord> {
    return this.parts.locks.with(sandboxId, () => disconnectSandbox(this.parts, sandboxId, networkId));
  }

  rename(sandboxId: string, containerName: string, dnsNames: ReadonlyMap<string, string[]>): void {
    renameSandbox(this.parts, sandboxId, containerName, dnsNames);
  }

  async removeSandbox(sandboxId: string): Promise<void> {
    await this.parts.locks.with(sandboxId, async () => {
      const sandbox = this.parts.sandboxes.get(sandboxId);
      if (sandbox) dropSandbox(this.parts, sandbox);
    });
  }

  async recover(liveContainerIds: ReadonlySet<string>): Promise<void> {
    const { parts } = this;
    this.unwatch();
    await recoverNetworks(parts, liveContainerIds, this.netnsDir);
    for (const warning of this.forwardWarnings()) parts.log.warn(warning);
    const restored = (problems: string[]) =>
      parts.log.warn('the nft table was changed by others and is restored', {
        table: parts.config.nftTable,
        problems,
      });
    this.watchers = [
      parts.firewall.watch(() => wantedState(parts), restored),
      watchLinks(parts),
      watchClashes(
        { kernel: parts.kernel, networks: () => this.list(), ownLinks: () => ownLinks(parts) },
        (sentences) => sentences.forEach((sentence) => void parts.log.warn(sentence)),
      ),
    ];
    parts.prepared.warmUp();
    parts.namespaces.warmUp();
  }

  async close({ removeKernelObjects }: { removeKernelObjects: boolean }): Promise<void> {
    const { kernel, namespaces, prepared, ports, sandboxes, firewall, names, networks } = this.parts;
    const last = sandboxes.size === 0;
    this.unwatch();
    names.close();
    prepared.close();
    namespaces.close(last);
    ports.releaseAll();
    if (removeKernelObjects && last) {
      firewall.drop();
      for (const network of networks.values()) linkDriverOf(this.parts, network)?.remove(network);
    }
    kernel[Symbol.dispose]();
  }

  private unwatch(): void {
    for (const watcher of this.watchers.splice(0)) watcher[Symbol.dispose]();
  }
}
