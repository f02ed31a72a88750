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

/** A container's place on one network. */
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
  /** Interface name inside: `eth0`. */
  interfaceName: string;
  /** Interface name on the host. */
  hostInterface: string;
}

/** A network stack that a container owns. `netnsPath` can be given to an OCI runtime. */
export interface SandboxRecord {
  sandboxId: string;
  containerId: string;
  netnsPath: string;
  endpoints: EndpointRecord[];
  ports: PublishedPort[];
}

/** A network as stored in the collection `networks`; `createdAt` is RFC 3339 with nanoseconds. */
export interface NetworkRecord {
  id: string;
  name: string;
  driver: 'bridge' | 'host' | 'null';
  createdAt: string;
  options: Record<string, string>;
  labels: Record<string, string>;
  internal: boolean;
  enableIPv4: boolean;
  enableIPv6: boolean;
  /** Address pools: CIDR subnet and gateway address. */
  pools: { subnet: string; gateway: string; ipRange?: string }[];
}

/** A container's wish to be on a network. Addresses left out are chosen. */
export interface EndpointRequest {
  /** Network name or id. */
  network: string;
  ipv4?: string;
  ipv6?: string;
  macAddress?: string;
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
  list(): NetworkRecord[];
  /** By name, full id or unique id prefix. Errors: `not-found`. */
  get(nameOrId: string): NetworkRecord;
  /**
   * Makes a network namespace with its endpoints and publishes the ports. All or nothing. With no endpoints it has a
   * loopback only (`none`). Errors: `conflict` when a host port is taken (the text says so as Docker's does, and by whom),
   * `exhausted` when no address is left, `invalid`.
   */
  createSandbox(request: {
    containerId: string;
    /** Named in error texts, as the Engine does; the short id when left out. */
    containerName?: string;
    endpoints: EndpointRequest[];
    ports: PortRequest[];
  }): Promise<SandboxRecord>;
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
  /** Makes or repairs bridge, nft table and live sandboxes; drops what no live container owns. Called once at start. */
  recover(liveContainerIds: ReadonlySet<string>): Promise<void>;
  /** Differences between the kernel and the database, one sentence each: empty when sound. */
  verify(): Promise<string[]>;
  /** Sentences for the Engine's `info`: what on this host stands in the containers' way (foreign rules that drop their traffic). */
  warnings(): string[];
  /** Removes bridge and nft table when no sandbox is left (daemon shutdown in tests); never touches others' objects. */
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
