import { type Logger, newId, WharfError } from '../../base/index.ts';
import { macOf, parseSubnet } from '../addresses/address.ts';
import { AddressPool } from '../addresses/pools.ts';
import type { NetworkConfig } from '../config.ts';
import type { NetworkKernel } from '../kernel.ts';
import type { EndpointRecord, EndpointRequest, NetworkRecord, SandboxRecord } from '../types.ts';
import { bareEndpoint, type NetworkDriver, type OpenedSandbox, pinPath } from './driver.ts';
import { ReadySandboxes } from './ready-sandboxes.ts';

/** What the bridge driver works with. */
export interface BridgeDeps {
  kernel: NetworkKernel;
  network: NetworkRecord;
  config: NetworkConfig;
  netnsDir: string;
  log: Logger;
}

/** A host interface belongs to the sandbox whose id it carries. */
export function hostInterfaceOf(sandboxId: string): string {
  return `wv${sandboxId.slice(0, 8)}`;
}

/** `bridge`: a veth pair a container, the host ends on one Linux bridge; a few made ahead. */
export class BridgeDriver implements NetworkDriver {
  private readonly deps: BridgeDeps;
  private readonly addresses: AddressPool;
  private readonly ready: ReadySandboxes<OpenedSandbox>;
  private readonly prefixLen: number;
  private readonly gateway: string;

  constructor(deps: BridgeDeps) {
    const { kernel, network, config, log } = deps;
    const pool = network.pools[0];
    if (!pool) throw new WharfError('internal', `network ${network.name} has no address pool`);
    this.deps = deps;
    this.gateway = pool.gateway;
    this.prefixLen = parseSubnet(pool.subnet).prefix;
    const gone = (link: string) => !kernel.hasLink(link);
    this.addresses = new AddressPool(pool.subnet, [pool.gateway], gone, `${network.name} (${network.id})`);
    this.ready = new ReadySandboxes({
      target: config.readySandboxes,
      make: () => this.make(),
      drop: (opened) => this.drop(opened.netnsPath, opened.endpoint),
      log,
    });
  }

  open(request: EndpointRequest): OpenedSandbox {
    if (request.ipv4 || request.ipv6)
      throw new WharfError('invalid', 'user specified IP address is supported on user defined networks only');
    const opened = this.ready.take();
    const wanted = request.macAddress?.toLowerCase();
    if (!wanted || wanted === opened.endpoint.macAddress) return opened;
    try {
      this.deps.kernel.setMac(opened.netnsPath, opened.endpoint.interfaceName, wanted);
    } catch (thrown) {
      this.ready.putBack(opened);
      throw WharfError.from(thrown, 'invalid');
    }
    return { ...opened, endpoint: { ...opened.endpoint, macAddress: wanted } };
  }

  cancel(opened: OpenedSandbox): void {
    // One with a hardware address of its own is not what the next container expects.
    if (opened.endpoint.macAddress === macOf(opened.endpoint.ipv4)) this.ready.putBack(opened);
    else this.drop(opened.netnsPath, opened.endpoint);
  }

  release(sandbox: SandboxRecord): void {
    const endpoint = this.endpointOf(sandbox);
    if (endpoint) this.drop(sandbox.netnsPath, endpoint);
    this.ready.refillSoon();
  }

  restore(sandbox: SandboxRecord): string[] {
    const { kernel, config } = this.deps;
    const endpoint = this.endpointOf(sandbox);
    if (!endpoint) return [];
    const problems: string[] = [];
    if (!this.addresses.claim(endpoint.ipv4, endpoint.hostInterface))
      problems.push(`address ${endpoint.ipv4} is not free in ${this.addresses.subnet}`);
    if (!kernel.isPinned(sandbox.netnsPath)) problems.push(`namespace ${sandbox.netnsPath} is gone`);
    if (!kernel.hasLink(endpoint.hostInterface)) problems.push(`link ${endpoint.hostInterface} is gone`);
    else if (!kernel.bridgePorts(config.bridge).has(endpoint.hostInterface))
      kernel.attach(endpoint.hostInterface, config.bridge);
    return problems;
  }

  readyPins(): string[] {
    return this.ready.ready().map((opened) => opened.netnsPath);
  }

  readyLinks(): string[] {
    return this.ready.ready().map((opened) => opened.endpoint.hostInterface);
  }

  /** Starts making namespaces ahead. */
  warmUp(): void {
    this.ready.refillSoon();
  }

  close(): void {
    this.ready.close();
  }

  private make(): OpenedSandbox {
    const { kernel, network, config, netnsDir } = this.deps;
    const sandboxId = newId();
    const netnsPath = pinPath(netnsDir, sandboxId);
    const hostInterface = hostInterfaceOf(sandboxId);
    const ipv4 = this.addresses.take(hostInterface);
    const endpoint: EndpointRecord = {
      ...bareEndpoint(network),
      macAddress: macOf(ipv4),
      ipv4,
      ipv4PrefixLen: this.prefixLen,
      ipv4Gateway: this.gateway,
      interfaceName: 'eth0',
      hostInterface,
    };
    try {
      kernel.createNamespace(netnsPath);
      kernel.plug({
        pin: netnsPath,
        interfaceName: endpoint.interfaceName,
        hostInterface: endpoint.hostInterface,
        bridge: config.bridge,
        mac: endpoint.macAddress,
        cidr: `${ipv4}/${this.prefixLen}`,
        gateway: this.gateway,
        mtu: config.mtu,
      });
    } catch (thrown) {
      this.drop(netnsPath, endpoint);
      throw thrown;
    }
    return { sandboxId, netnsPath, endpoint };
  }

  private drop(netnsPath: string, endpoint: EndpointRecord): void {
    this.deps.kernel.dropNamespace(netnsPath);
    this.addresses.release(endpoint.ipv4, endpoint.hostInterface);
  }

  private endpointOf(sandbox: SandboxRecord): EndpointRecord | undefined {
    return sandbox.endpoints.find((endpoint) => endpoint.networkId === this.deps.network.id);
  }
}
