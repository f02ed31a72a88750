import { span, WharfError } from '../../base/index.ts';
import type { EndpointRequest, PortRequest, SandboxRecord } from '../../network/types.ts';
import type { TeardownDeps } from './lifecycle-deps.ts';
import type { ContainerRecord } from './record.ts';

/** How a container is connected: a sandbox of its own, the host's stack, another container's, or a loopback alone. */
export type NetworkPlan =
  | { kind: 'sandbox'; endpoints: EndpointRequest[]; ports: PortRequest[] }
  | { kind: 'host' }
  | { kind: 'none' }
  | { kind: 'container'; ref: string };

/** What a container's network settings ask for. Errors: `invalid` for a port that can't be read. */
export function planNetwork(
  record: Pick<ContainerRecord, 'config' | 'hostConfig' | 'networkingConfig'>,
): NetworkPlan {
  const mode = record.hostConfig.NetworkMode || 'default';
  if (mode.startsWith('container:')) return { kind: 'container', ref: mode.slice('container:'.length) };
  if (mode === 'host') return { kind: 'host' };
  if (mode === 'none' || record.config.NetworkDisabled) return { kind: 'none' };
  return { kind: 'sandbox', endpoints: endpointRequests(record, mode), ports: portRequests(record) };
}

function endpointRequests(
  record: Pick<ContainerRecord, 'config' | 'networkingConfig'>,
  mode: string,
): EndpointRequest[] {
  const first = mode === 'default' ? 'bridge' : mode;
  const asked = record.networkingConfig.EndpointsConfig ?? {};
  const names = new Set([first, ...Object.keys(asked).map((name) => (name === 'default' ? 'bridge' : name))]);
  return [...names].map((network) => {
    const settings = asked[network] ?? (network === 'bridge' ? asked['default'] : undefined);
    const request: EndpointRequest = { network };
    const mac = settings?.MacAddress || (network === first ? record.config.MacAddress : undefined);
    if (mac) request.macAddress = mac;
    if (settings?.IPAMConfig?.IPv4Address) request.ipv4 = settings.IPAMConfig.IPv4Address;
    if (settings?.IPAMConfig?.IPv6Address) request.ipv6 = settings.IPAMConfig.IPv6Address;
    return request;
  });
}

function portRequests(record: Pick<ContainerRecord, 'config' | 'hostConfig'>): PortRequest[] {
  const bindings = record.hostConfig.PortBindings ?? {};
  const requests: PortRequest[] = [];
  for (const [port, hosts] of Object.entries(bindings)) {
    for (const host of hosts ?? []) requests.push(portRequest(port, host.HostIp ?? '', host.HostPort ?? ''));
  }
  if (record.hostConfig.PublishAllPorts) {
    for (const port of Object.keys(record.config.ExposedPorts ?? {})) {
      if (!bindings[port]?.length) requests.push(portRequest(port, '', ''));
    }
  }
  return requests;
}

function portRequest(port: string, hostIp: string, hostPort: string): PortRequest {
  const [number, protocol = 'tcp'] = port.split('/');
  const [from, to] = hostPort.split('-');
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') {
    throw new WharfError('invalid', `invalid port ${port}: unknown protocol ${protocol}`);
  }
  const request: PortRequest = {
    protocol,
    containerPort: Number(number),
    hostIp,
    hostPort: Number(from || 0),
  };
  if (to) request.hostPortEnd = Number(to);
  return request;
}

/** The network side of a run. */
export interface RunNetwork {
  plan: NetworkPlan;
  sandbox: SandboxRecord | undefined;
  /** Namespace for the OCI spec; undefined with `host` and `none`. */
  path: string | undefined;
}

/** Makes the sandbox of a run, or finds the one to join. Errors: those of `createSandbox`; `conflict` when the container to join does not run. */
export async function connectNetwork(
  deps: Pick<TeardownDeps, 'store' | 'live' | 'networks'>,
  record: ContainerRecord,
): Promise<RunNetwork> {
  using _ = span('network', record.id);
  const plan = planNetwork(record);
  if (plan.kind === 'container') return { plan, sandbox: undefined, path: joinNetwork(deps, plan.ref) };
  const stale = deps.networks.sandboxOf(record.id);
  if (stale) await deps.networks.removeSandbox(stale.sandboxId);
  const wanted = plan.kind === 'sandbox' ? plan : { endpoints: [{ network: plan.kind }], ports: [] };
  const { endpoints, ports } = wanted;
  const request = { containerId: record.id, containerName: record.name, endpoints, ports };
  const sandbox = await deps.networks.createSandbox(request).catch((thrown: unknown) => {
    throw namedFailure(thrown);
  });
  return { plan, sandbox, path: plan.kind === 'host' ? undefined : sandbox.netnsPath };
}

/** Docker's words before what stood in the way. */
function namedFailure(thrown: unknown): WharfError {
  const error = WharfError.from(thrown);
  const prefix = 'failed to set up container networking: ';
  if (error.message.startsWith(prefix)) return error;
  return new WharfError(error.kind, prefix + error.message, { cause: thrown });
}

function joinNetwork(deps: Pick<TeardownDeps, 'store' | 'live' | 'networks'>, ref: string): string {
  const other = deps.store.resolve(ref);
  const task = deps.live.task(other.id);
  if (!task) {
    const state = `container ${other.name} is ${other.state.status}`;
    throw new WharfError('conflict', `cannot join network namespace of a non running container: ${state}`);
  }
  return deps.networks.sandboxOf(other.id)?.netnsPath ?? `/proc/${task.pid}/ns/net`;
}

/** The networks whose `connect` and `disconnect` events a run has. */
export function networksOf(
  networks: Pick<TeardownDeps['networks'], 'get'>,
  network: RunNetwork,
): { id: string; name: string; driver: string }[] {
  if (network.plan.kind === 'container') return [];
  if (network.plan.kind !== 'sandbox') return known(networks, network.plan.kind);
  return network.plan.endpoints.flatMap((endpoint) => known(networks, endpoint.network));
}

function known(networks: Pick<TeardownDeps['networks'], 'get'>, name: string) {
  try {
    return [networks.get(name)];
  } catch {
    // An event about a network that is gone tells nobody anything.
    return [];
  }
}
