/** Engine API v1.51 `Network`. */
export interface Network {
  Name?: string;
  Id?: string;
  Created?: string;
  Scope?: string;
  Driver?: string;
  EnableIPv4?: boolean;
  EnableIPv6?: boolean;
  IPAM?: IPAM;
  Internal?: boolean;
  Attachable?: boolean;
  Ingress?: boolean;
  ConfigFrom?: ConfigReference;
  ConfigOnly?: boolean;
  Containers?: Record<string, NetworkContainer>;
  Options?: Record<string, string>;
  Labels?: Record<string, string>;
  Peers?: PeerInfo[] | null;
}

/** Engine API v1.51 `ConfigReference`. */
export interface ConfigReference {
  Network?: string;
}

/** Engine API v1.51 `IPAM`. */
export interface IPAM {
  Driver?: string;
  Config?: IPAMConfig[];
  Options?: Record<string, string>;
}

/** Engine API v1.51 `IPAMConfig`. */
export interface IPAMConfig {
  Subnet?: string;
  IPRange?: string;
  Gateway?: string;
  AuxiliaryAddresses?: Record<string, string>;
}

/** Engine API v1.51 `NetworkContainer`. */
export interface NetworkContainer {
  Name?: string;
  EndpointID?: string;
  MacAddress?: string;
  IPv4Address?: string;
  IPv6Address?: string;
}

/** Engine API v1.51 `PeerInfo`. */
export interface PeerInfo {
  Name?: string;
  IP?: string;
}

/** Engine API v1.51 `NetworkCreateResponse`. */
export interface NetworkCreateResponse {
  Id?: string;
  Warning?: string;
}

/** Engine API v1.51 `EndpointSettings`. */
export interface EndpointSettings {
  IPAMConfig?: EndpointIPAMConfig;
  Links?: string[];
  MacAddress?: string;
  Aliases?: string[];
  DriverOpts?: Record<string, string> | null;
  GwPriority?: number;
  NetworkID?: string;
  EndpointID?: string;
  Gateway?: string;
  IPAddress?: string;
  IPPrefixLen?: number;
  IPv6Gateway?: string;
  GlobalIPv6Address?: string;
  GlobalIPv6PrefixLen?: number;
  DNSNames?: string[];
}

/** Engine API v1.51 `EndpointIPAMConfig`. */
export interface EndpointIPAMConfig {
  IPv4Address?: string;
  IPv6Address?: string;
  LinkLocalIPs?: string[];
}
