import { join } from 'node:path';
import { newId, shortId } from '../../base/index.ts';
import type { NetworkKernel } from '../kernel.ts';
import type { EndpointRecord, EndpointRequest, NetworkRecord, SandboxRecord } from '../types.ts';

/** A namespace with its place on one network, not yet anybody's. */
export interface OpenedSandbox {
  sandboxId: string;
  netnsPath: string;
  endpoint: EndpointRecord;
}

/** One kind of network. The stack owns records, ports and rules; a driver owns namespaces, links and addresses. */
export interface NetworkDriver {
  /** A namespace on the network. Errors: `exhausted`, `invalid`, `not-implemented`. */
  open(request: EndpointRequest): OpenedSandbox;
  /** Takes back what `open` gave and nothing has run in. */
  cancel(opened: OpenedSandbox): void;
  /** Drops a sandbox's namespace; the address is free when the kernel has reaped the interface. */
  release(sandbox: SandboxRecord): void;
  /** After a daemon's start: counts a live sandbox as ours, repairs it where possible. What can't be repaired is named. */
  restore(sandbox: SandboxRecord): string[];
  /** Paths of namespaces that are ready for the next container. */
  readyPins(): string[];
  /** Drops what is only kept ready. */
  close(): void;
}

/** Where the namespaces of sandboxes are pinned. */
export function pinPath(netnsDir: string, sandboxId: string): string {
  return join(netnsDir, shortId(sandboxId));
}

/** An endpoint without an interface of its own. */
export function bareEndpoint(network: NetworkRecord): EndpointRecord {
  return {
    endpointId: newId(),
    networkId: network.id,
    networkName: network.name,
    macAddress: '',
    ipv4: '',
    ipv4PrefixLen: 0,
    ipv4Gateway: '',
    interfaceName: '',
    hostInterface: '',
  };
}

/** `none`: a namespace with a loopback only. */
export function nullDriver(kernel: NetworkKernel, network: NetworkRecord, netnsDir: string): NetworkDriver {
  return {
    open() {
      const sandboxId = newId();
      const netnsPath = pinPath(netnsDir, sandboxId);
      kernel.createNamespace(netnsPath);
      return { sandboxId, netnsPath, endpoint: bareEndpoint(network) };
    },
    cancel: ({ netnsPath }) => kernel.dropNamespace(netnsPath),
    release: ({ netnsPath }) => kernel.dropNamespace(netnsPath),
    restore: ({ netnsPath }) => (kernel.isPinned(netnsPath) ? [] : [`namespace ${netnsPath} is gone`]),
    readyPins: () => [],
    close() {},
  };
}

/** `host`: the host's own namespace, pinned once for all as `default`. */
export function hostDriver(kernel: NetworkKernel, network: NetworkRecord, netnsDir: string): NetworkDriver {
  const netnsPath = join(netnsDir, 'default');
  return {
    open() {
      if (!kernel.isPinned(netnsPath)) kernel.pinHost(netnsPath);
      return { sandboxId: newId(), netnsPath, endpoint: bareEndpoint(network) };
    },
    cancel() {},
    release() {},
    restore() {
      if (!kernel.isPinned(netnsPath)) kernel.pinHost(netnsPath);
      return [];
    },
    readyPins: () => (kernel.isPinned(netnsPath) ? [netnsPath] : []),
    close: () => kernel.dropNamespace(netnsPath),
  };
}
