/** The addresses an endpoint has on a network; empty for a family it has none of. */
export interface EndpointAddresses {
  ipv4: string;
  ipv6: string;
}

/**
 * Who has which address on one network, both families. A released address rests until the interface that had it is gone
 * from the kernel, and at least for the quarantine, since others may still have it in mind; a pool that would otherwise be
 * exhausted hands out the one that has rested longest.
 */
export interface AddressBook {
  /**
   * The wanted addresses, or free ones, in every family the network has. All or none. `holder` names the interface. A
   * wanted address may lie outside of the range from which others are chosen, and may be resting. Errors: `exhausted`,
   * `invalid` (in no subnet of the network), `conflict` (`Address already in use`), all in the Engine's words.
   */
  take(holder: string, wanted?: Partial<EndpointAddresses>): EndpointAddresses;
  /** Marks addresses as used (at recovery); sentences about those that are not free or lie outside. */
  claim(holder: string, addresses: EndpointAddresses): string[];
  /** Gives back what `holder` has; addresses that another has stay. Repeatable. */
  release(holder: string, addresses: EndpointAddresses): void;
}
