import type { Range } from './addresses/pools.ts';
import type { InterfaceCounters } from './types.ts';

/** A container's interface and its host end, as they are to be made. */
export interface PlugRequest {
  /** Path where the namespace is pinned. */
  pin: string;
  interfaceName: string;
  hostInterface: string;
  bridge: string;
  mac: string;
  /** Address with prefix length. */
  cidr: string;
  gateway: string;
  mtu: number;
}

/**
 * What networks need of the kernel, and nothing else: the seam that unit tests replace. Every call is synchronous and
 * done when it returns, save that the kernel takes apart dropped namespaces behind.
 */
export interface NetworkKernel extends Disposable {
  /** Ranges that the host's addresses and routes cover, without those of the named link. */
  occupiedRanges(exceptLink: string): Range[];
  /** Makes the bridge or repairs it: address, mtu, up, no IPv6. */
  ensureBridge(bridge: { name: string; cidr: string; mtu: number }): void;
  /** What is wrong with the bridge, one sentence each. */
  bridgeProblems(bridge: { name: string; cidr: string }): string[];
  /** Lets loopback addresses be translated towards the bridge (`route_localnet`). Only after the rules stand. */
  allowLoopback(bridge: string): void;
  /** Turns IPv4 forwarding on; true when it was off. */
  enableForwarding(): boolean;
  hasLink(name: string): boolean;
  /** Names of the links attached to the bridge. */
  bridgePorts(bridge: string): Set<string>;
  /** Attaches a link to the bridge again. */
  attach(link: string, bridge: string): void;
  deleteLink(name: string): void;
  createNamespace(pin: string): void;
  /** Pins the host's own namespace. */
  pinHost(pin: string): void;
  /** Unpins and unlinks; nothing happens when it is gone. */
  dropNamespace(pin: string): void;
  /** True when a network namespace is pinned there. */
  isPinned(pin: string): boolean;
  /** Gives a namespace its interface, address and default route. Errors: `exhausted` when the bridge has no port left (1,023). */
  plug(request: PlugRequest): void;
  setMac(pin: string, interfaceName: string, mac: string): void;
  counters(pin: string, interfaceNames: readonly string[]): Record<string, InterfaceCounters>;
  /** One nft transaction. */
  nft(script: string): void;
  /** The `nftables` array of `nft -j COMMAND`; undefined when the object is not there. */
  nftObjects(command: string): NftObject[] | undefined;
}

/** One entry of nft's JSON (libnftables-json(5)): a single key, `table`, `chain`, `rule`, `map` …, with its fields. */
export type NftObject = Record<string, Record<string, unknown>>;
