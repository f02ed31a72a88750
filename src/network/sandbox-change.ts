import { UndoStack, WharfError } from '../base/index.ts';
import { attachEndpoint, closeEndpoint, planEndpoint } from './endpoints.ts';
import { findNetwork } from './lookup.ts';
import { linkDriverOf, remember, type StackParts } from './parts.ts';
import { heldPorts, publish, publishPlace, sameSockets, targetsOf } from './publishing.ts';
import { moveRoutes } from './routes.ts';
import { loneText } from './sandbox-create.ts';
import type {
  EndpointRecord,
  EndpointRequest,
  NetworkRecord,
  PublishedPort,
  SandboxRecord,
} from './types.ts';

/** See `NetworkStack.connect`. */
export async function connectSandbox(
  parts: StackParts,
  sandboxId: string,
  request: EndpointRequest,
): Promise<SandboxRecord> {
  const sandbox = known(parts, sandboxId);
  const network = findNetwork([...parts.networks.values()], request.network);
  checkJoinable(parts, sandbox, network);
  if (sandbox.endpoints.some(({ networkId }) => networkId === network.id)) {
    const name = sandbox.containerName ?? sandbox.containerId.slice(0, 12);
    throw new WharfError('conflict', `endpoint with name ${name} already exists in network ${network.name}`);
  }
  await using undo = new UndoStack(parts.log);
  const endpoint = planEndpoint(parts, request, sandboxId, sandbox.endpoints);
  undo.push('free addresses', () => closeEndpoint(parts, endpoint));
  parts.opening.add(endpoint);
  try {
    begin(parts, endpoint, sandbox.netnsPath);
    undo.push('forget the change', () => void parts.pending.delete(endpoint.endpointId));
    undo.push('take the interface out', () => detach(parts, endpoint, sandbox.netnsPath));
    attachEndpoint(parts, endpoint, sandbox.netnsPath);
    const joined = { ...sandbox, endpoints: [...sandbox.endpoints, endpoint] };
    const next = await move(parts, sandbox, joined, undo);
    parts.database.transaction(() => {
      parts.sandboxRecords.put(next);
      parts.pending.delete(endpoint.endpointId);
    });
    remember(parts, next);
    undo.commit();
    return next;
  } finally {
    parts.opening.delete(endpoint);
  }
}

/** See `NetworkStack.disconnect`. */
export async function disconnectSandbox(
  parts: StackParts,
  sandboxId: string,
  networkId: string,
): Promise<SandboxRecord> {
  const sandbox = known(parts, sandboxId);
  const endpoint = sandbox.endpoints.find((each) => each.networkId === networkId);
  if (!endpoint) {
    const name = parts.networks.get(networkId)?.name ?? networkId;
    const text = `container ${sandbox.containerId} is not connected to network ${name}`;
    throw new WharfError('not-found', text);
  }
  const left = { ...sandbox, endpoints: sandbox.endpoints.filter((each) => each !== endpoint) };
  await using undo = new UndoStack(parts.log);
  const next = await move(parts, sandbox, left, undo);
  parts.database.transaction(() => {
    parts.sandboxRecords.put(next);
    if (endpoint.interfaceName) begin(parts, endpoint, sandbox.netnsPath);
  });
  undo.commit();
  remember(parts, next);
  if (!endpoint.interfaceName) return next;
  // From here it is done; what fails is left to the next recovery.
  closeEndpoint(parts, endpoint);
  detach(parts, endpoint, sandbox.netnsPath);
  parts.pending.delete(endpoint.endpointId);
  return next;
}

/** See `NetworkStack.rename`. */
export function renameSandbox(
  parts: StackParts,
  sandboxId: string,
  containerName: string,
  dnsNames: ReadonlyMap<string, string[]>,
): void {
  const sandbox = known(parts, sandboxId);
  const endpoints = sandbox.endpoints.map((endpoint) => {
    const names = dnsNames.get(endpoint.networkId);
    return names ? { ...endpoint, dnsNames: names } : endpoint;
  });
  const next = { ...sandbox, containerName, endpoints };
  parts.sandboxRecords.put(next);
  remember(parts, next);
  parts.names.update(next);
}

/** Takes an endpoint's interface out of a living namespace. */
export function detach(parts: StackParts, endpoint: EndpointRecord, netnsPath: string): void {
  const network = parts.networks.get(endpoint.networkId);
  const driver = network && linkDriverOf(parts, network);
  if (network && parts.kernel.namespaces.isPinned(netnsPath)) driver?.detach(network, endpoint, netnsPath);
}

function begin(parts: StackParts, record: EndpointRecord, netnsPath: string): void {
  parts.pending.put({ id: record.endpointId, endpoint: { record, netnsPath } });
}

/** Default routes, published ports and names follow from the endpoints. Gives what is to be recorded, with the ports as they are then. */
async function move(
  parts: StackParts,
  sandbox: SandboxRecord,
  next: SandboxRecord,
  undo: UndoStack,
): Promise<SandboxRecord> {
  const { netnsPath } = sandbox;
  undo.push('former default routes', () => moveRoutes(parts, netnsPath, next.endpoints, sandbox.endpoints));
  moveRoutes(parts, netnsPath, sandbox.endpoints, next.endpoints);
  await movePorts(parts, sandbox, next, undo);
  const current = known(parts, sandbox.sandboxId);
  const named = current === sandbox ? next : renamed(sandbox, current, next);
  undo.push('former names', () => parts.names.update(current));
  parts.names.update(named);
  return named;
}

/** The container was renamed while its ports moved: its new names go into what is recorded. */
function renamed(before: SandboxRecord, now: SandboxRecord, next: SandboxRecord): SandboxRecord {
  const { containerName = '' } = now;
  const known = new Map(now.endpoints.map(({ endpointId, dnsNames }) => [endpointId, dnsNames]));
  const endpoints = next.endpoints.map((endpoint) => {
    const joined = endpoint.dnsNames?.map((name) => (name === before.containerName ? containerName : name));
    const dnsNames = known.get(endpoint.endpointId) ?? joined;
    return dnsNames ? { ...endpoint, dnsNames } : endpoint;
  });
  return { ...next, containerName, endpoints };
}

async function movePorts(
  parts: StackParts,
  sandbox: SandboxRecord,
  next: SandboxRecord,
  undo: UndoStack,
): Promise<void> {
  const { portRequests } = sandbox;
  if (!portRequests) return;
  const { ports, firewall } = parts;
  const [from, to] = [publishPlace(parts, sandbox), publishPlace(parts, next)];
  const held = heldPorts(sandbox.ports);
  if (from && to && sameSockets(from, to)) {
    if (JSON.stringify(from) === JSON.stringify(to)) return;
    undo.push('former targets', () => ports.retarget(held, from.owner));
    ports.retarget(held, to.owner);
  } else {
    ports.release(held);
    undo.push('former ports', async () => {
      ports.release(heldPorts(next.ports));
      if (from) await ports.restore(held, from.owner);
    });
    next.ports = to ? await publish(parts, to, again(portRequests, sandbox.ports)) : [];
  }
  const change = { remove: { ports: targetsOf(parts, sandbox) }, add: { ports: targetsOf(parts, next) } };
  undo.push('former rules', () => firewall.apply({ remove: change.add, add: change.remove }));
  firewall.apply(change);
}

/** Ports that were chosen before are asked for again, so that they stay the same. */
function again(
  requests: NonNullable<SandboxRecord['portRequests']>,
  ports: readonly PublishedPort[],
): NonNullable<SandboxRecord['portRequests']> {
  const left = heldPorts(ports);
  return requests.map((request) => {
    const at = left.findIndex(
      ({ protocol, containerPort }) =>
        protocol === request.protocol && containerPort === request.containerPort,
    );
    const [port] = at < 0 ? [] : left.splice(at, 1);
    if (!port || (request.hostPort !== 0 && !request.hostPortEnd)) return request;
    const { hostPortEnd: _, ...fixed } = request;
    return { ...fixed, hostPort: port.hostPort };
  });
}

function known(parts: StackParts, sandboxId: string): SandboxRecord {
  const sandbox = parts.sandboxes.get(sandboxId);
  if (!sandbox) throw new WharfError('not-found', `no network sandbox ${sandboxId}`);
  return sandbox;
}

/** Neither a sandbox without links takes one, nor a network without links a sandbox. */
function checkJoinable(parts: StackParts, sandbox: SandboxRecord, network: NetworkRecord): void {
  const bare = sandbox.endpoints.find(({ interfaceName }) => interfaceName === '');
  const alone = bare
    ? parts.networks.get(bare.networkId)
    : linkDriverOf(parts, network)
      ? undefined
      : network;
  if (alone) throw new WharfError('invalid', loneText(alone));
}
