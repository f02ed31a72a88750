import type { InterfaceCounters } from './types.ts';

/** A bridge as it is to be. */
export interface BridgePlan {
  name: string;
  mtu: number;
  /** Addresses with prefix length, both families; none where the bridge is no gateway. */
  cidrs: string[];
  /** Without it the bridge is closed to IPv6. */
  ipv6: boolean;
  /** It was there before: addresses are added, none is taken away. */
  foreign: boolean;
}

/** An interface of a container as it is to be. */
export interface InterfacePlan {
  /** Path where the namespace is pinned. */
  pin: string;
  interfaceName: string;
  /** Empty for one of the kernel's choice. */
  mac: string;
  /** 0 for the parent's. */
  mtu: number;
  /** Addresses with prefix length, both families. */
  cidrs: string[];
  /** Without it the interface is closed to IPv6. */
  ipv6: boolean;
  /** Paths below `/proc/sys` in the namespace, with the values. */
  sysctls: { path: string; value: string }[];
}

/** One end of a pair, whose other end is a port of a bridge. */
export interface VethPlan extends InterfacePlan {
  hostInterface: string;
  bridge: string;
  /** Other isolated ports of the bridge can't be reached. */
  isolated: boolean;
}

/** An interface on a link of the host. */
export interface ParentedPlan extends InterfacePlan {
  kind: 'macvlan' | 'ipvlan';
  parent: string;
  mode: string;
  flag?: string;
}

/** Where packets go that no other route takes. */
export interface DefaultRoute {
  dev: string;
  /** Left out where everybody is on the link. */
  gateway?: string;
}

/** What is inside network namespaces. A namespace is named by the path where it is pinned. */
export interface NamespaceKernel {
  create(pin: string): void;
  /** Pins the host's own namespace. */
  pinHost(pin: string): void;
  /** Unpins and unlinks; nothing happens when it is gone. */
  drop(pin: string): void;
  /** True when a network namespace is pinned there. */
  isPinned(pin: string): boolean;
  /** Takes an interface out; nothing happens when it is not there. */
  unplug(pin: string, interfaceName: string): void;
  /** Names of the interfaces. */
  interfaces(pin: string): Set<string>;
  /** Replaces the default route of a family, or takes it away. */
  setDefaultRoute(pin: string, family: 4 | 6, route: DefaultRoute | undefined): void;
  setMac(pin: string, interfaceName: string, mac: string): void;
  counters(pin: string, interfaceNames: readonly string[]): Record<string, InterfaceCounters>;
}

/** The packet filter. */
export interface RuleKernel {
  /** One nft transaction. */
  nft(script: string): void;
  /** The `nftables` array of `nft -j COMMAND`; undefined when the object is not there. */
  nftObjects(command: string): NftObject[] | undefined;
}

/**
 * What networks need of the kernel, and nothing else: the seam that unit tests replace. Links of the host are asked of it
 * itself. Every call is synchronous and done when it returns, save that the kernel takes apart dropped namespaces behind.
 */
export interface NetworkKernel extends Disposable {
  readonly namespaces: NamespaceKernel;
  readonly rules: RuleKernel;
  /** CIDRs that the host's addresses and routes cover, both families, without those of the named links. */
  occupiedRanges(exceptLinks: ReadonlySet<string>): string[];
  /** Makes the bridge or repairs it. Errors: `conflict` when a link of another kind has the name. */
  ensureBridge(bridge: BridgePlan): void;
  /** Global addresses of a link with prefix length; none when it is not there. */
  addressesOf(link: string): string[];
  /** Those that are not there are passed over. */
  removeAddresses(link: string, cidrs: readonly string[]): void;
  /** What is wrong with the bridge, one sentence each. */
  bridgeProblems(bridge: BridgePlan): string[];
  /** Makes a VLAN on a parent, up, where it is not there yet. Errors: `not-implemented`. */
  ensureVlan(vlan: { name: string; parent: string; id: number }): void;
  /** Makes a link that leads nowhere, up, where it is not there yet. Errors: `not-implemented`. */
  ensureDummy(name: string): void;
  /** Errors: `not-implemented` where the kernel has no interfaces of that kind, naming the module that it lacks. */
  checkKind(kind: ParentedPlan['kind']): void;
  /** Lets loopback addresses be translated towards the bridge (`route_localnet`). Only after the rules stand. */
  allowLoopback(bridge: string): void;
  /** Turns forwarding of a family on; true when it was off. */
  enableForwarding(family: 4 | 6): boolean;
  hasLink(name: string): boolean;
  /** True when the link is a port of the bridge. */
  isPort(link: string, bridge: string): boolean;
  /** All links of the host by name, each with the name of the bridge it is a port of. */
  links(): Map<string, { up: boolean; bridge?: string }>;
  /** Attaches a link to the bridge again. */
  attach(link: string, bridge: string, isolated: boolean): void;
  deleteLink(name: string): void;
  /** Gives a namespace its interface, up, with its addresses. Errors: `exhausted` when the bridge has no port left (1,023), `invalid` (name, hardware address, sysctl). */
  plug(plan: VethPlan): void;
  plugParented(plan: ParentedPlan): void;
  /** Calls back after links, addresses or routes of the host changed. */
  watchRoutes(changed: () => void): Disposable;
}

/** One entry of nft's JSON (libnftables-json(5)): a single key, `table`, `chain`, `rule`, `map` …, with its fields. */
export type NftObject = Record<string, Record<string, unknown>>;
