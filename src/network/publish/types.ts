import type { PortRequest, PublishedPort } from '../types.ts';

/** `open`: as Docker, published ports are reachable whatever the host's own input rules say. `obey`: those rules decide. */
export type PublishPolicy = 'open' | 'obey';

/** For whom ports are published. */
export interface PortOwner {
  containerId: string;
  /** Shown in errors, as the Engine does. */
  name: string;
  endpointId: string;
  /** Addresses behind the ports; empty where the container has none of that family. */
  ipv4: string;
  ipv6: string;
  policy: PublishPolicy;
  /** Address for requests without one (`host_binding_ipv4` of the network); empty for all of both families. */
  hostBinding: string;
  /** Path of the owner's network namespace. */
  netnsPath: string;
}

/**
 * The host ports that containers of this daemon have. Each is held by a bound socket, so that no other program takes it.
 * Traffic is translated in the kernel; only what the kernel cannot translate is carried by the held sockets: `::1`, IPv6
 * clients of a container without IPv6, and everything under the policy `obey`, whose packets then pass the host's input rules.
 * As they stand on the host, they refuse clients whom the kernel's rules would not let through: those on internal networks.
 */
export interface Ports {
  /**
   * Allocates all requests or none, in their order. A request without an address yields `0.0.0.0` and `::` where the host
   * has both. Errors: `conflict` with the Engine's text and who holds the port (pid and process, or container), `invalid`.
   */
  reserve(requests: readonly PortRequest[], owner: PortOwner): Promise<PublishedPort[]>;
  /** Takes ports back that a container has since before this daemon started. A port that another program took meanwhile is named, not refused. */
  restore(ports: readonly PublishedPort[], owner: PortOwner): Promise<string[]>;
  /** Sends what comes to these ports to another owner's addresses from now on (the default route moved to another network). */
  retarget(ports: readonly PublishedPort[], owner: PortOwner): void;
  /** Gives ports back; unknown ones are ignored. Connections that are carried end. */
  release(ports: readonly PublishedPort[]): void;
  /** The kernel forgets, some seconds later, all connections of addresses that containers had; published or not. */
  forget(addresses: readonly string[]): void;
  releaseAll(): void;
}
