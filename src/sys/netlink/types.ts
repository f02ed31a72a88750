/** A network interface. */
export interface Link {
  index: number;
  name: string;
  /** `bridge`, `veth` …; undefined for devices without a kind (loopback, hardware). */
  kind?: string;
  mac: string;
  mtu: number;
  /** Index of the bridge it is a port of. */
  master?: number;
  /** Index of the other end of a veth; it counts in the peer's own namespace. */
  peerIndex?: number;
  /** Index of the link that a VLAN, macvlan or ipvlan is on; it counts in that link's own namespace. */
  parentIndex?: number;
  /** Administratively up. */
  up: boolean;
  /** Up with a carrier. */
  running: boolean;
}

/** An address of an interface, as `address/prefix`. */
export interface LinkAddress {
  linkIndex: number;
  cidr: string;
  family: 4 | 6;
  /** 0 global, 253 link, 254 host. */
  scope: number;
}

/** A unicast route. */
export interface Route {
  /** `address/prefix`; undefined for the default route. */
  dst?: string;
  gateway?: string;
  linkIndex?: number;
  family: 4 | 6;
  /** The routing table; undefined for the main one (254). */
  table?: number;
}

/** Counters of an interface since it was made. */
export interface LinkStats {
  rxBytes: number;
  rxPackets: number;
  rxErrors: number;
  rxDropped: number;
  txBytes: number;
  txPackets: number;
  txErrors: number;
  txDropped: number;
}
