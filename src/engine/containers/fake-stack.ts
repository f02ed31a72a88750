import { newId, WharfError } from '../../base/index.ts';
import type {
  EndpointRecord,
  EndpointRequest,
  NetworkKind,
  NetworkRecord,
  NetworkRequest,
  NetworkStack,
  SandboxRecord,
  SandboxRequest,
} from '../../network/types.ts';

const BUILTIN: readonly [string, NetworkKind][] = [
  ['bridge', 'bridge'],
  ['host', 'host'],
  ['none', 'null'],
];

/** A network stack without a kernel, for tests: it keeps records, gives out addresses in turn, and can be made to fail. */
export class FakeStack
  implements Omit<NetworkStack, 'resolverConfig' | 'counters' | 'recover' | 'verify' | 'close'>
{
  readonly networks: NetworkRecord[] = [];
  readonly boxes: Map<string, SandboxRecord>;
  /** What was asked of it, in order: `connect gn1`, … */
  readonly calls: string[] = [];
  /** Thrown by the next call of that kind. */
  failing: { call: 'connect' | 'disconnect' | 'renumber'; error: WharfError } | undefined;
  /** What it says of a network's surroundings, by name. */
  readonly said = new Map<string, string[]>();
  private next = 2;

  constructor(boxes = new Map<string, SandboxRecord>()) {
    this.boxes = boxes;
    for (const [name, driver] of BUILTIN) this.add({ name, driver });
  }

  warnings(networkId = ''): string[] {
    return this.said.get(networkId.replace(/-id$/, '')) ?? [];
  }

  add(request: NetworkRequest): NetworkRecord {
    const octet = 17 + this.networks.length;
    const asked = request.pools?.map(({ subnet = '', gateway = '' }) => ({ subnet, gateway }));
    const record: NetworkRecord = {
      id: `${request.name}-id`,
      name: request.name,
      driver: (request.driver ?? 'bridge') as NetworkKind,
      createdAt: '2026-01-01T00:00:00Z',
      options: request.options ?? {},
      labels: request.labels ?? {},
      internal: request.internal ?? false,
      enableIPv4: request.enableIPv4 ?? true,
      enableIPv6: request.enableIPv6 ?? false,
      pools: asked ?? [{ subnet: `172.${octet}.0.0/16`, gateway: `172.${octet}.0.1` }],
      ...(request.pools && { askedPools: request.pools }),
      ...(request.configOnly && { configOnly: true }),
      ...(request.configFrom && { configFrom: request.configFrom }),
    };
    this.networks.push(record);
    return record;
  }

  list = () => [...this.networks];
  sandbox = (id: string) => this.boxes.get(id);
  sandboxOf = (id: string) => [...this.boxes.values()].find((one) => one.containerId === id);
  sandboxes = () => [...this.boxes.values()];
  exposure: NetworkStack['exposure'] = () => [];
  hostGateway = () => '172.17.0.1';

  get = (ref: string): NetworkRecord => {
    const found = this.networks.find(({ name, id }) => name === ref || id.startsWith(ref));
    if (found) return found;
    throw new WharfError('not-found', `network ${ref} not found`);
  };

  create = async (request: NetworkRequest) => this.add(request);

  checkRemove(ref: string): NetworkRecord {
    return this.get(ref);
  }

  remove = async (ref: string) => {
    const network = this.get(ref);
    this.networks.splice(this.networks.indexOf(network), 1);
    return network;
  };

  renumber = async (ref: string, pools?: NetworkRequest['pools']) => {
    const network = this.get(ref);
    this.called('renumber', network.name);
    const used = this.sandboxes().some(({ endpoints }) =>
      endpoints.some((one) => one.networkId === network.id),
    );
    if (used) throw new WharfError('conflict', `network ${network.name} has active endpoints`);
    network.pools = (pools ?? [{ subnet: '172.31.0.0/16' }]).map(({ subnet = '' }) => ({
      subnet,
      gateway: '',
    }));
    delete network.askedPools;
    if (pools) network.askedPools = pools;
    return network;
  };

  createSandbox = async ({ containerId, endpoints, ports, nameServers }: SandboxRequest) => {
    if (ports.some((port) => port.hostPort === 1))
      throw new WharfError('conflict', 'Bind for 0.0.0.0:1 failed: port is already allocated');
    const sandbox: SandboxRecord = {
      sandboxId: newId(),
      containerId,
      netnsPath: `/run/netns/${containerId}`,
      endpoints: endpoints.map((request, at) => this.endpoint(request, `eth${at}`)),
      ports: ports.map((port) => ({ ...port, hostIp: '0.0.0.0' })),
      ...(nameServers && { nameServers }),
    };
    this.boxes.set(sandbox.sandboxId, sandbox);
    return sandbox;
  };

  connect = async (id: string, request: EndpointRequest) => {
    const sandbox = this.box(id);
    this.called('connect', request.network);
    const endpoint = this.endpoint(request, `eth${sandbox.endpoints.length}`);
    return this.put({ ...sandbox, endpoints: [...sandbox.endpoints, endpoint] });
  };

  disconnect = async (id: string, networkId: string) => {
    const sandbox = this.box(id);
    this.called('disconnect', networkId);
    const endpoints = sandbox.endpoints.filter((one) => one.networkId !== networkId);
    if (endpoints.length === sandbox.endpoints.length) throw new WharfError('not-found', 'not on it');
    return this.put({ ...sandbox, endpoints });
  };

  rename = (id: string, containerName: string, names: ReadonlyMap<string, string[]>) => {
    const sandbox = this.box(id);
    const endpoints = sandbox.endpoints.map((one) => ({
      ...one,
      ...(names.has(one.networkId) && { dnsNames: names.get(one.networkId) ?? [] }),
    }));
    this.put({ ...sandbox, containerName, endpoints });
  };

  removeSandbox = async (id: string) => void this.boxes.delete(id);

  private called(call: 'connect' | 'disconnect' | 'renumber', what: string): void {
    this.calls.push(`${call} ${what}`);
    if (this.failing?.call !== call) return;
    const { error } = this.failing;
    this.failing = undefined;
    throw error;
  }

  private box(id: string): SandboxRecord {
    const sandbox = this.boxes.get(id);
    if (sandbox) return sandbox;
    throw new WharfError('not-found', `no such sandbox: ${id}`);
  }

  private put(sandbox: SandboxRecord): SandboxRecord {
    this.boxes.set(sandbox.sandboxId, sandbox);
    return sandbox;
  }

  private endpoint(request: EndpointRequest, interfaceName: string): EndpointRecord {
    const network = this.get(request.network);
    const host = network.driver === 'host' || network.driver === 'null';
    const prefix = network.pools[0]?.subnet.split('.').slice(0, 3).join('.');
    return {
      endpointId: newId(),
      networkId: network.id,
      networkName: network.name,
      macAddress: host ? '' : (request.macAddress ?? '02:42:ac:11:00:02'),
      ipv4: host ? '' : (request.ipv4 ?? `${prefix}.${this.next++}`),
      ipv4PrefixLen: host ? 0 : 16,
      ipv4Gateway: host ? '' : (network.pools[0]?.gateway ?? ''),
      ...(request.ipv6 && { ipv6: request.ipv6, ipv6PrefixLen: 64, ipv6Gateway: 'fd91::1' }),
      interfaceName: host ? '' : interfaceName,
      hostInterface: '',
      ...(request.dnsNames && { dnsNames: request.dnsNames }),
      ...(request.links && { links: request.links }),
      ...(request.gwPriority !== undefined && { gwPriority: request.gwPriority }),
    };
  }
}
