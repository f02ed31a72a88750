import type { IPAMConfig, Network, NetworkContainer } from '../../api/index.ts';
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
      Options: record.ipamOptions ?? NULL,
      Config: poolDocuments(record) ?? NULL,
    } as NonNullable<Network['IPAM']>,
    Internal: record.internal,
    Attachable: record.attachable ?? false,
    Ingress: false,
    ConfigFrom: { Network: record.configFrom ?? '' },
    ConfigOnly: record.configOnly ?? false,
    Containers: containersOn(record, sandboxes, nameOf),
    Options: record.options,
    Labels: record.labels,
  };
}

/** Pools as they were asked for, in their order within a family; those that were chosen as they are. */
function poolDocuments({ pools, askedPools = [], configOnly }: NetworkRecord): IPAMConfig[] | undefined {
  if (configOnly) return askedPools.length > 0 ? askedPools.map(poolDocument) : undefined;
  if (pools.length === 0) return undefined;
  const left = new Map(
    [4, 6].map((family) => [family, askedPools.filter((one) => familyOf(one) === family)]),
  );
  return pools.map((pool) => poolDocument(left.get(familyOf(pool))?.shift() ?? pool));
}

function familyOf({ subnet = '' }: { subnet?: string }): number {
  return subnet.includes(':') ? 6 : 4;
}

function poolDocument(pool: NonNullable<NetworkRecord['askedPools']>[number]): IPAMConfig {
  return {
    ...(pool.subnet && { Subnet: pool.subnet }),
    ...(pool.ipRange && { IPRange: pool.ipRange }),
    ...(pool.gateway && { Gateway: pool.gateway }),
    ...(pool.auxiliary && Object.keys(pool.auxiliary).length > 0 && { AuxiliaryAddresses: pool.auxiliary }),
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
