import type { Network, NetworkContainer } from '../../api/index.ts';
import type { NetworkRecord, SandboxRecord } from '../../network/types.ts';

/** The Engine writes null where a network has no addresses. */
const NULL = null as unknown as undefined;

/** A network's document as `GET /networks/{id}` shows it; `nameOf` answers a container's name by id. Lists leave `Containers` empty. */
export function networkDocument(
  record: NetworkRecord,
  sandboxes: readonly SandboxRecord[],
  nameOf: (containerId: string) => string,
): Network {
  return {
    Name: record.name,
    Id: record.id,
    Created: record.createdAt,
    Scope: 'local',
    Driver: record.driver,
    EnableIPv4: record.enableIPv4,
    EnableIPv6: record.enableIPv6,
    IPAM: {
      Driver: 'default',
      Options: NULL,
      Config: record.pools.length > 0 ? record.pools.map(poolDocument) : NULL,
    } as NonNullable<Network['IPAM']>,
    Internal: record.internal,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: containersOn(record, sandboxes, nameOf),
    Options: record.options,
    Labels: record.labels,
  };
}

function poolDocument(pool: NetworkRecord['pools'][number]) {
  return {
    Subnet: pool.subnet,
    ...(pool.ipRange ? { IPRange: pool.ipRange } : {}),
    Gateway: pool.gateway,
  };
}

function containersOn(
  record: NetworkRecord,
  sandboxes: readonly SandboxRecord[],
  nameOf: (containerId: string) => string,
): Record<string, NetworkContainer> {
  const found: [string, NetworkContainer][] = [];
  for (const { containerId, endpoints } of sandboxes) {
    const endpoint = endpoints.find(({ networkId }) => networkId === record.id);
    if (!endpoint) continue;
    const { endpointId, macAddress, ipv4, ipv4PrefixLen, ipv6, ipv6PrefixLen } = endpoint;
    found.push([
      containerId,
      {
        Name: nameOf(containerId),
        EndpointID: endpointId,
        MacAddress: macAddress,
        IPv4Address: ipv4 ? `${ipv4}/${ipv4PrefixLen}` : '',
        IPv6Address: ipv6 ? `${ipv6}/${ipv6PrefixLen ?? 64}` : '',
      },
    ]);
  }
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}
