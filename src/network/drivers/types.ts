import type { EndpointRecord, NetworkRecord } from '../types.ts';

/** What an endpoint is known by on its links. */
export interface EndpointNames {
  /** The interface on the host; empty for none. */
  hostInterface: string;
  macAddress: string;
}

/**
 * One kind of network. The stack owns namespaces, records, addresses, names, ports and rules; a driver owns links. All calls
 * are synchronous, idempotent where they can be, and done when they return, save that the kernel reaps dropped links behind.
 */
export interface NetworkDriver {
  /**
   * Checks a network's options and completes them as the Engine does (names of parents and bridges that were left out).
   * Pure. Errors: `invalid` with the Engine's texts.
   */
  complete(network: NetworkRecord): NetworkRecord;
  /** The link of the host that the network is on: its bridge, or the parent of its interfaces. */
  link(network: NetworkRecord): string;
  /** Makes the network's own kernel objects or repairs them. Errors: `conflict` (a link of that name is another's), `not-implemented` (the kernel lacks it). */
  ensure(network: NetworkRecord): void;
  /** Removes what `ensure` made; never what others made (a bridge or VLAN that was there before). */
  remove(network: NetworkRecord): void;
  /** What of the network's own objects is wrong, one sentence each. */
  problems(network: NetworkRecord): string[];
  /** Names for a new endpoint. */
  plan(network: NetworkRecord, sandboxId: string, endpointId: string, ipv4: string): EndpointNames;
  /** Puts the endpoint's interface into a namespace, up, with all its addresses and without a default route. */
  attach(network: NetworkRecord, endpoint: EndpointRecord, netnsPath: string): void;
  /** Takes it out of a living namespace. */
  detach(network: NetworkRecord, endpoint: EndpointRecord, netnsPath: string): void;
  /** Repairs what can be repaired from the host's side; sentences about the rest. */
  restore(network: NetworkRecord, endpoint: EndpointRecord): string[];
  /** True when the kernel has no more of the interface, so that its addresses can rest. */
  gone(hostInterface: string): boolean;
}
