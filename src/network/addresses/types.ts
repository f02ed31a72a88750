/** The addresses an endpoint has on a network; empty for a family it has none of. */
export interface EndpointAddresses {
  ipv4: string;
  ipv6: string;
}

/**
 * Who has which address on one network, both families. A released address rests: first until the interface that had it
 * is gone from the kernel, then for the quarantine, since others may still have it in mind; a pool that would otherwise
 * be exhausted hands out the one that has rested longest.
 */
export interface AddressBook {
  /** The wanted addresses, or free ones, in every family the network has. All or none. `holder` names the interface. Errors: `exhausted`, `invalid` (outside, or not allowed), `conflict` (`Address already in use`). */
  take(holder: string, wanted?: Partial<EndpointAddresses>): EndpointAddresses;
  /** Marks addresses as used (at recovery); sentences about those that are not free or lie outside. */
  claim(holder: string, addresses: EndpointAddresses): string[];
  release(holder: string, addresses: EndpointAddresses): void;
}
