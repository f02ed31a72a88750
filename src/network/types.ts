/** A port mapping as asked for; `hostPort` 0 means any free one. */
export interface PortRequest {
  protocol: 'tcp' | 'udp' | 'sctp';
  containerPort: number;
  /** Empty for every address of both families. */
  hostIp: string;
  hostPort: number;
  /** When set, `hostPort` may be any up to this one (a range given for one container port). */
  hostPortEnd?: number;
}

/** A mapping as made. One request with an empty `hostIp` yields two: `0.0.0.0` and `::`. */
export interface PublishedPort {
  protocol: 'tcp' | 'udp' | 'sctp';
  containerPort: number;
  hostIp: string;
  hostPort: number;
}

/** Kinds of networks. `null` is the driver of `none`. */
export type NetworkKind = 'bridge' | 'host' | 'null' | 'macvlan' | 'ipvlan';

/** A name that one container alone sees. It stands for the container, or, when that is not on the network, for whoever has `name` there. */
export interface EndpointLink {
  alias: string;
  /** Absent where there was no such container when the link was asked for. */
  containerId?: string;
  /** Absent in the records of older versions. */
  name?: string;
}

/** A container's place on one network. Addresses are empty where the network has none of that family. */
export interface EndpointRecord {
  endpointId: string;
  networkId: string;
  networkName: string;
  macAddress: string;
  ipv4: string;
  ipv4PrefixLen: number;
  ipv4Gateway: string;
  ipv6?: string;
  ipv6PrefixLen?: number;
  ipv6Gateway?: string;
  /** Further addresses with prefix length, as asked for: `169.254.8.8/16`. */
  linkLocal?: string[];
  /** Interface name inside: `eth0`. */
  interfaceName: string;
  /** Interface name on the host; empty where there is none (macvlan, ipvlan, host). */
  hostInterface: string;
  /** The highest one gives the default route; ties go to the network's name. 0 when left out. */
  gwPriority?: number;
  /** Options for the driver: sysctls of the interface (`com.docker.network.endpoint.sysctls`) … */
  driverOptions?: Record<string, string>;
  /** Names under which others on this network find the container; the first is its own name. None on the default bridge. */
  dnsNames?: string[];
  /** Names that only this container sees: links. */
  links?: EndpointLink[];
}

/** A network stack that a container owns. `netnsPath` can be given to an OCI runtime. */
export interface SandboxRecord {
  sandboxId: string;
  containerId: string;
  netnsPath: string;
  endpoints: EndpointRecord[];
  ports: PublishedPort[];
  /** What was asked for, to be published again where the default route moves to another network. */
  portRequests?: PortRequest[];
  /** Shown in errors and to whoever asks who holds a port. */
  containerName?: string;
  /** Name servers that the container was given by its user; without them the host's are followed. */
  nameServers?: string[];
}

/** One range of a network, IPv4 or IPv6. */
export interface AddressPoolRecord {
  /** CIDR, host bits clear. */
  subnet: string;
  /** Without prefix length; empty where the network has no gateway. */
  gateway: string;
  /** CIDR within `subnet` from which addresses are chosen. */
  ipRange?: string;
  /** Addresses that others have, by a name of the user's. */
  auxiliary?: Record<string, string>;
}

/** A network as stored in the collection `networks`; `createdAt` is RFC 3339 with nanoseconds. */
export interface NetworkRecord {
  id: string;
  name: string;
  driver: NetworkKind;
  createdAt: string;
  options: Record<string, string>;
  labels: Record<string, string>;
  internal: boolean;
  /** Kept and shown; any container may join any local network. */
  attachable?: boolean;
  enableIPv4: boolean;
  enableIPv6: boolean;
  pools: AddressPoolRecord[];
  /** `NetworkRequest.pools` as given: shown so, and containers may ask for addresses of these subnets only. Absent where none was given. */
  askedPools?: NetworkRequest['pools'];
  /** `IPAM.Options` as given; absent as null. */
  ipamOptions?: Record<string, string>;
  /** A set of options for others, never a network itself. */
  configOnly?: boolean;
  /** The name of the `configOnly` network that this one was made from. */
  configFrom?: string;
  /** The bridge or VLAN that it is on was there before it, and stays when it goes. */
  foreignLink?: boolean;
  /** Addresses (CIDR) that such a bridge had before, which stay, too. */
  foreignAddresses?: string[];
}

/** A network to be made; what is left out is chosen. As `NetworkCreateRequest` of the Engine API. */
export interface NetworkRequest {
  name: string;
  /** `bridge` when empty. */
  driver?: string;
  options?: Record<string, string>;
  labels?: Record<string, string>;
  internal?: boolean;
  attachable?: boolean;
  /** Undefined means the default: IPv4 yes, IPv6 no. */
  enableIPv4?: boolean;
  enableIPv6?: boolean;
  ipamDriver?: string;
  ipamOptions?: Record<string, string>;
  pools?: { subnet?: string; gateway?: string; ipRange?: string; auxiliary?: Record<string, string> }[];
  configOnly?: boolean;
  configFrom?: string;
}

/** A container's wish to be on a network. Addresses left out are chosen. */
export interface EndpointRequest {
  /** Network name or id. */
  network: string;
  ipv4?: string;
  ipv6?: string;
  linkLocal?: string[];
  macAddress?: string;
  gwPriority?: number;
  driverOptions?: Record<string, string>;
  dnsNames?: string[];
  links?: EndpointLink[];
}

/** What a container asks for at its start. */
export interface SandboxRequest {
  containerId: string;
  /** Named in error texts, as the Engine does; the short id when left out. */
  containerName?: string;
  endpoints: EndpointRequest[];
  ports: PortRequest[];
  nameServers?: string[];
}

/** From where a port of a container can be reached. `lan` means other hosts, by the host's addresses or the container's own. */
export type Vantage = 'container' | 'network' | 'host' | 'lan';

/** One way to a container's port, and why it is open. */
export interface Exposure {
  containerId: string;
  /** Empty for a container on the host's network. */
  network: string;
  /** `tcp`, `udp`, `sctp`, or `any` where every port is open to that vantage. */
  protocol: PublishedPort['protocol'] | 'any';
  /** 0 with `any`. */
  containerPort: number;
  /** Address and port that reach it: `0.0.0.0:8080`, `[::]:8080`, or the container's address for routed networks. */
  at: string;
  /** The widest vantage. */
  from: Vantage;
  /** A sentence for people: which option or rule makes it so. */
  why: string;
}

/**
 * Network stacks for containers. Behind it one driver a network kind; `bridge` is the default one. State that must
 * survive is in the database (collections `networks`, `sandboxes`); kernel objects carry names derived from ids, so that
 * recovery and `doctor` can match them.
 *
 *     const box = await networks.createSandbox({ containerId, endpoints: [{ network: 'bridge' }], ports })
 *     … spec.linux.namespaces: { type: 'network', path: box.netnsPath } …
 *     await networks.removeSandbox(box.sandboxId)
 */
export interface NetworkStack {
  /** The built-in networks and those of users, in the order of their making. */
  list(): NetworkRecord[];
  /** By name, full id or unique id prefix. Errors: `not-found`. */
  get(nameOrId: string): NetworkRecord;
  /**
   * Makes a network: chooses subnets that clash with no route of the host, makes its kernel objects and rules, records it.
   * All or nothing. Errors: `conflict` (the name or the bridge is taken), `invalid` (options, addresses, `Pool overlaps
   * with other one on this address space`), `exhausted` (no subnet free), `not-implemented` (a driver the kernel lacks).
   */
  create(request: NetworkRequest): Promise<NetworkRecord>;
  /** Errors: `not-found`, `forbidden` (built in; containers are on it). */
  remove(nameOrId: string): Promise<NetworkRecord>;
  /** The network that `remove` would take, were those in `gone` (ids) gone already; nothing changes. Errors: as `remove`. */
  checkRemove(nameOrId: string, gone?: ReadonlySet<string>): NetworkRecord;
  /**
   * Gives a network without containers other subnets, chosen anew where none are given, and keeps its id: the way out
   * when a route of the host or a VPN came to overlap it. Errors: as `create`; `conflict` when containers are on it.
   */
  renumber(nameOrId: string, pools?: NetworkRequest['pools']): Promise<NetworkRecord>;
  /**
   * Makes a network namespace with its endpoints and publishes the ports. All or nothing. With no endpoints it has a
   * loopback only (`none`). Errors: `conflict` when a host port is taken (the text says so as Docker's does, and by whom),
   * `exhausted` when no address is left, `invalid`.
   */
  createSandbox(request: SandboxRequest): Promise<SandboxRecord>;
  /**
   * Adds an interface on one more network to a live sandbox; default routes, published ports and names follow. All or
   * nothing. Errors: those of `createSandbox`; `conflict` when it is on that network already.
   */
  connect(sandboxId: string, request: EndpointRequest): Promise<SandboxRecord>;
  /** Takes a sandbox off a network, the inverse of `connect`. Errors: `not-found` when it is not on it. */
  disconnect(sandboxId: string, networkId: string): Promise<SandboxRecord>;
  /** Gives the endpoints of a live sandbox other names (the container was renamed), by network id. */
  rename(sandboxId: string, containerName: string, dnsNames: ReadonlyMap<string, string[]>): void;
  sandbox(sandboxId: string): SandboxRecord | undefined;
  sandboxOf(containerId: string): SandboxRecord | undefined;
  /** All sandboxes. */
  sandboxes(): SandboxRecord[];
  /** Unpublishes, frees the addresses and drops the namespace. Nothing happens when it is gone already. Answers fast: the kernel reaps behind. */
  removeSandbox(sandboxId: string): Promise<void>;
  /** The address by which containers on that network reach the host (`host-gateway`), or undefined. */
  hostGateway(network: string): string | undefined;
  /** Name servers, search domains and options for a new container's resolv.conf, from the host's, without loopback ones. */
  resolverConfig(): { nameservers: string[]; search: string[]; options: string[] };
  /** Counters of a sandbox's interfaces, by name, for `stats`. */
  counters(sandboxId: string): Promise<Record<string, InterfaceCounters>>;
  /** Every way to a port of a container that has a sandbox with an interface. */
  exposure(): Exposure[];
  /** Makes or repairs bridges, nft table and live sandboxes; drops what no live container owns. Called once at start. */
  recover(liveContainerIds: ReadonlySet<string>): Promise<void>;
  /** Differences between the kernel and the database, one sentence each: empty when sound. */
  verify(): Promise<string[]>;
  /**
   * Sentences for the Engine's `info`: what on this host stands in the containers' way (foreign rules that drop their
   * traffic; routes that overlap a network, with the way out). With an id, those about that network alone.
   */
  warnings(networkId?: string): string[];
  /** Removes bridges and nft table when no sandbox is left (daemon shutdown in tests); never touches others' objects. */
  close(options: { removeKernelObjects: boolean }): Promise<void>;
}

/** What an interface has carried since it was made, from the container's side. */
export interface InterfaceCounters {
  rxBytes: number;
  rxPackets: number;
  rxErrors: number;
  rxDropped: number;
  txBytes: number;
  txPackets: number;
  txErrors: number;
  txDropped: number;
}
