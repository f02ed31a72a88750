import type { EndpointSettings, NetworkSettings, PortBinding, PortMap } from '../../api/index.ts';
import type { EndpointRecord, PublishedPort, SandboxRecord } from '../../network/types.ts';
import type { ContainerRecord } from '../containers/record.ts';

/** What `networkSettings` reads of a container. */
export type NetworkedContainer = Pick<ContainerRecord, 'config' | 'networkingConfig'>;

/** The Go client reads `null` and `[]` alike; the Engine writes `null`, which the generated types do not allow everywhere. */
const NONE = null as unknown as undefined;

const EMPTY: EndpointRecord = {
  endpointId: '',
  networkId: '',
  networkName: '',
  macAddress: '',
  ipv4: '',
  ipv4PrefixLen: 0,
  ipv4Gateway: '',
  interfaceName: '',
  hostInterface: '',
};

/**
 * `NetworkSettings` of a container's document. `sandbox` is the container's own while it runs; the networks are those that
 * it wishes for, with what it got there.
 */
export function networkSettings({
  record,
  sandbox,
}: {
  record: NetworkedContainer;
  sandbox?: SandboxRecord;
}): NetworkSettings {
  const endpoints = new Map(sandbox?.endpoints.map((endpoint) => [endpoint.networkName, endpoint]));
  const bridge = endpoints.get('bridge') ?? EMPTY;
  // Only bridges publish, and only those from which a way leads out.
  const published = sandbox?.endpoints.some(
    ({ hostInterface, ipv4Gateway, ipv6Gateway }) => hostInterface && (ipv4Gateway || ipv6Gateway),
  );
  return {
    Bridge: '',
    SandboxID: sandbox?.sandboxId ?? '',
    SandboxKey: sandbox?.netnsPath ?? '',
    Ports: sandbox && published ? portMap(record.config.ExposedPorts, sandbox.ports) : {},
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    // The flat fields are the default bridge's; other networks leave them empty.
    EndpointID: bridge.endpointId,
    Gateway: bridge.ipv4Gateway,
    GlobalIPv6Address: bridge.ipv6 ?? '',
    GlobalIPv6PrefixLen: bridge.ipv6PrefixLen ?? 0,
    IPAddress: bridge.ipv4,
    IPPrefixLen: bridge.ipv4PrefixLen,
    IPv6Gateway: bridge.ipv6Gateway ?? '',
    MacAddress: bridge.macAddress,
    Networks: record.config.NetworkDisabled ? {} : networksOf(record, endpoints),
  };
}

/**
 * `Ports` of a running container: published ones with their bindings, exposed ones with null. Routed networks open the
 * container's own port: no port of the host stands for it.
 */
export function portMap(
  exposed: ContainerRecord['config']['ExposedPorts'],
  ports: readonly PublishedPort[],
): PortMap {
  const map: PortMap = {};
  for (const { protocol, containerPort, hostIp, hostPort } of ports) {
    const key = `${containerPort}/${protocol}`;
    const binding: PortBinding = { HostIp: hostIp, HostPort: hostPort === 0 ? '' : String(hostPort) };
    map[key] = [...(map[key] ?? []), binding];
  }
  for (const port of Object.keys(exposed ?? {})) {
    const key = port.includes('/') ? port : `${port}/tcp`;
    map[key] ??= null;
  }
  // Go writes maps in the order of their keys.
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Go writes maps in the order of their keys. */
function networksOf(
  { networkingConfig }: NetworkedContainer,
  endpoints: ReadonlyMap<string, EndpointRecord>,
): Record<string, EndpointSettings> {
  const wishes = Object.entries(networkingConfig.EndpointsConfig ?? {});
  return Object.fromEntries(
    wishes
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, wish]) => [name, endpointSettings(wish, endpoints.get(name) ?? EMPTY)]),
  );
}

function endpointSettings(wish: EndpointSettings, endpoint: EndpointRecord): EndpointSettings {
  return {
    IPAMConfig: wish.IPAMConfig ?? NONE,
    Links: wish.Links ?? NONE,
    Aliases: wish.Aliases ?? NONE,
    MacAddress: endpoint.macAddress || (wish.MacAddress ?? ''),
    DriverOpts: wish.DriverOpts ?? null,
    GwPriority: wish.GwPriority ?? 0,
    NetworkID: endpoint.networkId || (wish.NetworkID ?? ''),
    EndpointID: endpoint.endpointId,
    Gateway: endpoint.ipv4Gateway,
    IPAddress: endpoint.ipv4,
    IPPrefixLen: endpoint.ipv4PrefixLen,
    IPv6Gateway: endpoint.ipv6Gateway ?? '',
    GlobalIPv6Address: endpoint.ipv6 ?? '',
    GlobalIPv6PrefixLen: endpoint.ipv6PrefixLen ?? 0,
    DNSNames: wish.DNSNames ?? NONE,
  };
}
