import type { PublishedPort } from '../types.ts';

/** How packets get in and out of one address family of a bridge (`gateway_mode_ipv4`, `gateway_mode_ipv6`). */
export type GatewayMode = 'nat' | 'nat-unprotected' | 'routed' | 'isolated';

/** One address family of a bridge, as the rules see it. */
export interface FamilyRules {
  /** CIDR subnets of the network in this family. */
  subnets: string[];
  mode: GatewayMode;
  /** Hide the containers behind the host's address outward; only with the `nat` modes. */
  masquerade: boolean;
}

/** All that the rules of one bridge are made from. */
export interface BridgeRules {
  bridge: string;
  /** Nothing leaves or enters but between the network's own containers and the host. */
  internal: boolean;
  /** False: containers reach each other by published ports only (`enable_icc`); their bridge ports must be isolated, too. */
  icc?: boolean;
  /** Host interfaces whose neighbours may reach every port by direct routing (`trusted_host_interfaces`). */
  trustedInterfaces: string[];
  ipv4?: FamilyRules;
  ipv6?: FamilyRules;
}

/** A published port with what stands behind it. */
export interface PortTarget extends PublishedPort {
  /** Of the family of `hostIp`, since the kernel cannot translate between families. */
  containerIp: string;
  /** The bridge on which the container is. */
  bridge: string;
  /** `routed` opens the container's own address instead of translating the host's; `nat` is everything else. */
  mode: 'nat' | 'routed';
}

/** The whole wanted state of the table. */
export interface FirewallState {
  bridges: readonly BridgeRules[];
  ports: readonly PortTarget[];
}

/** A change of the table: one transaction. What is to be removed and is not there is no error. */
export interface FirewallChange {
  add?: Partial<FirewallState>;
  remove?: Partial<FirewallState>;
}

/**
 * The daemon's one nft table (family `inet`). Its rules never change while the daemon runs: networks and ports are
 * elements of its sets and maps, so that a change costs the same among thousands.
 */
export interface Firewall {
  /** Replaces the table if it is not what it should be; true when it was replaced. */
  ensure(state: FirewallState): boolean;
  apply(change: FirewallChange): void;
  /** Differences between the kernel's table and the wanted one, one sentence each. */
  problems(state: FirewallState): string[];
  /** Deletes the table, if there is one. */
  drop(): void;
  /**
   * Restores the table within a second when another program flushed or changed it; `wanted` is asked then. Event-driven.
   * `restored` is told what was wrong.
   */
  watch(wanted: () => FirewallState, restored: (problems: string[]) => void): Disposable;
}
