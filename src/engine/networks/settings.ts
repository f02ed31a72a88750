import type { EndpointSettings, NetworkSettings, PortBinding, PortMap } from '../../api/index.ts';
import type { EndpointRecord, PublishedPort, SandboxRecord } from '../../network/types.ts';
import type { ContainerRecord } from '../containers/record.ts';

/** What `networkSettings` reads of a container. */
export type NetworkedContainer = Pick<
  ContainerRecord,
  'config' | 'hostConfig' | 'networkingConfig' | 'state'
>;

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

/** The network's name that a container's `NetworkMode` means: `default` is the bridge; undefined when it shares another container's. */
export function networkOfMode(mode: string | undefined): string | undefined {
  if (!mode || mode === 'default') return 'bridge';
  return mode.startsWith('container:') ? undefined : mode;
}

/**
 * `NetworkSettings` of a container's document. `sandbox` is the container's own while it runs; `networkId` answers a
 * network's id by name. A container that was never started has endpoints without a network id, as the Engine shows it.
 */
export function networkSettings(
  record: NetworkedContainer,
  sandbox: SandboxRecord | undefined,
  networkId: (name: string) => string | undefined,
): NetworkSettings {
  const name = record.config.NetworkDisabled ? undefined : networkOfMode(record.hostConfig.NetworkMode);
  const endpoint = sandbox?.endpoints[0] ?? EMPTY;
  const onBridge = endpoint.ipv4 !== '';
  return {
    Bridge: '',
    SandboxID: sandbox?.sandboxId ?? '',
    SandboxKey: sandbox?.netnsPath ?? '',
    Ports: sandbox && onBridge ? portMap(record.config.ExposedPorts, sandbox.ports) : {},
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    // The flat fields are the default bridge's; other networks leave them empty.
    EndpointID: onBridge ? endpoint.endpointId : '',
    Gateway: endpoint.ipv4Gateway,
    GlobalIPv6Address: endpoint.ipv6 ?? '',
    GlobalIPv6PrefixLen: endpoint.ipv6PrefixLen ?? 0,
    IPAddress: endpoint.ipv4,
    IPPrefixLen: endpoint.ipv4PrefixLen,
    IPv6Gateway: endpoint.ipv6Gateway ?? '',
    MacAddress: endpoint.macAddress,
    Networks: name === undefined ? {} : { [name]: endpointSettings(record, name, endpoint, networkId) },
  };
}

/** `Ports` of a running container: published ones with their bindings, exposed ones with null. */
export function portMap(
  exposed: ContainerRecord['config']['ExposedPorts'],
  ports: readonly PublishedPort[],
): PortMap {
  const map: PortMap = {};
  for (const { protocol, containerPort, hostIp, hostPort } of ports) {
    const key = `${containerPort}/${protocol}`;
    const binding: PortBinding = { HostIp: hostIp, HostPort: String(hostPort) };
    map[key] = [...(map[key] ?? []), binding];
  }
  for (const port of Object.keys(exposed ?? {})) {
    const key = port.includes('/') ? port : `${port}/tcp`;
    map[key] ??= null;
  }
  // Go writes maps in the order of their keys.
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function endpointSettings(
  record: NetworkedContainer,
  name: string,
  endpoint: EndpointRecord,
  networkId: (name: string) => string | undefined,
): EndpointSettings {
  const asked = requested(record, name);
  const known = endpoint.networkId || (record.state.hasStarted ? (networkId(name) ?? '') : '');
  return {
    IPAMConfig: asked?.IPAMConfig ?? NONE,
    Links: asked?.Links ?? NONE,
    Aliases: asked?.Aliases ?? NONE,
    MacAddress: endpoint.macAddress || (asked?.MacAddress ?? ''),
    DriverOpts: asked?.DriverOpts ?? null,
    GwPriority: asked?.GwPriority ?? 0,
    NetworkID: known,
    EndpointID: endpoint.endpointId,
    Gateway: endpoint.ipv4Gateway,
    IPAddress: endpoint.ipv4,
    IPPrefixLen: endpoint.ipv4PrefixLen,
    IPv6Gateway: endpoint.ipv6Gateway ?? '',
    GlobalIPv6Address: endpoint.ipv6 ?? '',
    GlobalIPv6PrefixLen: endpoint.ipv6PrefixLen ?? 0,
    DNSNames: NONE,
  };
}

function requested(record: NetworkedContainer, name: string): EndpointSettings | undefined {
  const configs: Record<string, EndpointSettings> | undefined = record.networkingConfig.EndpointsConfig;
  return configs?.[name] ?? (name === 'bridge' ? configs?.['default'] : undefined);
}
