import { span, WharfError } from '../../base/index.ts';
import type { PortRequest, SandboxRecord, SandboxRequest } from '../../network/types.ts';
import {
  type EndpointOwner,
  endpointRequest,
  type FindNetwork,
  findNetwork,
  noteEndpoints,
  wishedNetworks,
} from './endpoints.ts';
import type { RunDeps } from './lifecycle-deps.ts';
import { modeContainer } from './modes.ts';
import type { ContainerRecord } from './record.ts';

/** How a container is connected: a sandbox of its own, the host's stack, another container's, or a loopback alone. */
export type NetworkPlan =
  | { kind: 'sandbox'; networks: string[]; ports: PortRequest[] }
  | { kind: 'host' }
  | { kind: 'none' }
  | { kind: 'container'; ref: string };

const SHARED =
  'container sharing network namespace with another container or host cannot be connected to any other network';
const PRIVATE =
  'container cannot be connected to multiple networks with one of the networks in private (none) mode';
const NOT_HOST = 'cannot connect container to host network - container must be created in host network mode';

/** Whether a container may be on all these networks at once. Errors: `invalid`, with Docker's texts. */
export function checkTogether(mode: string, networks: readonly string[]): void {
  if (modeContainer(mode) !== undefined || (mode === 'host' && networks.some((name) => name !== 'host')))
    throw new WharfError('invalid', SHARED);
  if (mode !== 'host' && networks.includes('host')) throw new WharfError('invalid', NOT_HOST);
  if (networks.length > 1 && networks.includes('none')) throw new WharfError('invalid', PRIVATE);
}

/** What a container's network settings ask for. Errors: `invalid` for networks that exclude each other, and a port that can't be read. */
export function planNetwork(record: EndpointOwner): NetworkPlan {
  const mode = record.hostConfig.NetworkMode || 'bridge';
  const ref = modeContainer(mode);
  if (ref !== undefined) return { kind: 'container', ref };
  if (record.config.NetworkDisabled) return { kind: 'none' };
  const networks = wishedNetworks(record);
  checkTogether(mode, networks);
  if (mode === 'host') return { kind: 'host' };
  if (networks.includes('none')) return { kind: 'none' };
  return { kind: 'sandbox', networks, ports: portRequests(record) };
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

/** What connecting a container uses. */
export type ConnectDeps = Pick<RunDeps, 'store' | 'live' | 'networks' | 'daemonDns'>;

/** Makes the sandbox of a run, or finds the one to join. Errors: those of `createSandbox`; `conflict` when the container to join does not run. */
export async function connectNetwork(deps: ConnectDeps, record: ContainerRecord): Promise<RunNetwork> {
  using _ = span('network', record.id);
  const target = modeContainer(record.hostConfig.NetworkMode);
  if (target !== undefined) {
    const plan: NetworkPlan = { kind: 'container', ref: target };
    return { plan, sandbox: undefined, path: joinNetwork(deps, target) };
  }
  try {
    const plan = planNetwork(record);
    const stale = deps.networks.sandboxOf(record.id);
    if (stale) await deps.networks.removeSandbox(stale.sandboxId);
    const sandbox = await deps.networks.createSandbox(sandboxRequest(deps, record, plan));
    noteEndpoints(record, sandbox);
    return { plan, sandbox, path: plan.kind === 'host' ? undefined : sandbox.netnsPath };
  } catch (thrown) {
    throw namedFailure(thrown);
  }
}

function sandboxRequest(
  deps: Pick<ConnectDeps, 'store' | 'daemonDns'>,
  record: ContainerRecord,
  plan: NetworkPlan,
): SandboxRequest {
  const request: SandboxRequest = {
    containerId: record.id,
    containerName: record.name,
    endpoints: [],
    ports: [],
  };
  if (plan.kind === 'sandbox') {
    request.endpoints = plan.networks.map((network) => endpointRequest(deps.store, record, network));
    request.ports = plan.ports;
  } else {
    request.endpoints = [endpointRequest(deps.store, record, plan.kind)];
  }
  const servers = record.hostConfig.Dns?.length ? record.hostConfig.Dns : deps.daemonDns();
  if (servers.length > 0) request.nameServers = [...servers];
  return request;
}

/** Docker's words before what stood in the way. */
function namedFailure(thrown: unknown): WharfError {
  const error = WharfError.from(thrown);
  const prefix = 'failed to set up container networking: ';
  if (error.message.startsWith(prefix)) return error;
  return new WharfError(error.kind, prefix + error.message, { cause: thrown });
}

function joinNetwork(deps: Pick<ConnectDeps, 'store' | 'live' | 'networks'>, ref: string): string {
  const other = joined(deps, ref);
  const task = deps.live.task(other.id);
  if (!task) {
    const state = `container ${other.name} is ${other.state.status}`;
    throw new WharfError('conflict', `cannot join network namespace of a non running container: ${state}`);
  }
  return deps.networks.sandboxOf(other.id)?.netnsPath ?? `/proc/${task.pid}/ns/net`;
}

function joined(deps: Pick<ConnectDeps, 'store'>, ref: string): ContainerRecord {
  try {
    return deps.store.resolve(ref);
  } catch (thrown) {
    const { kind, message } = WharfError.from(thrown);
    throw new WharfError(kind, `joining network namespace of container: ${message}`, { cause: thrown });
  }
}

/** The networks whose `connect` and `disconnect` events a run of that container has. */
export function networksOf(
  networks: FindNetwork,
  record: EndpointOwner,
): { id: string; name: string; driver: string }[] {
  const { NetworkMode } = record.hostConfig;
  if (modeContainer(NetworkMode) !== undefined) return [];
  const names = record.config.NetworkDisabled ? ['none'] : wishedNetworks(record);
  // An event about a network that is gone tells nobody anything.
  return names.flatMap((name) => findNetwork(networks, name) ?? []);
}
