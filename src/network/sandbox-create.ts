import { UndoStack, WharfError } from '../base/index.ts';
import { bareEndpoint, carried, checkMac, closeEndpoint, openEndpoint } from './endpoints.ts';
import { findNetwork } from './lookup.ts';
import { remember, type StackParts } from './parts.ts';
import type { PreparedSandbox } from './prepared.ts';
import { heldPorts, publish, publishPlace, targetsOf } from './publishing.ts';
import { moveRoutes } from './routes.ts';
import type {
  EndpointRecord,
  EndpointRequest,
  NetworkRecord,
  SandboxRecord,
  SandboxRequest,
} from './types.ts';

/** The inside of a sandbox, before it is anybody's. */
type Opened = Pick<SandboxRecord, 'sandboxId' | 'netnsPath' | 'endpoints'>;

/** See `NetworkStack.createSandbox`. The record comes last: a namespace without one is dropped by recovery, and its links with it. */
export async function createSandbox(parts: StackParts, request: SandboxRequest): Promise<SandboxRecord> {
  await using undo = new UndoStack(parts.log);
  const networks = request.endpoints.map(({ network }) => findNetwork([...parts.networks.values()], network));
  const opened = open(parts, request.endpoints, networks, undo);
  for (const endpoint of opened.endpoints) parts.opening.add(endpoint);
  try {
    const record: SandboxRecord = {
      ...opened,
      containerId: request.containerId,
      ports: [],
      ...(request.ports.length > 0 ? { portRequests: request.ports } : {}),
      ...(request.containerName ? { containerName: request.containerName } : {}),
      ...(request.nameServers?.length ? { nameServers: request.nameServers } : {}),
    };
    await publishNew(parts, record, undo);
    undo.push('forget names', () => parts.names.remove(record.sandboxId));
    parts.names.update(record);
    parts.sandboxRecords.put(record);
    remember(parts, record);
    undo.commit();
    return record;
  } finally {
    for (const endpoint of opened.endpoints) parts.opening.delete(endpoint);
  }
}

async function publishNew(parts: StackParts, record: SandboxRecord, undo: UndoStack): Promise<void> {
  const place = record.portRequests && publishPlace(parts, record);
  if (!place) return;
  record.ports = await publish(parts, place, record.portRequests ?? []);
  undo.push('free ports', () => parts.ports.release(heldPorts(record.ports)));
  const ports = targetsOf(parts, record);
  if (ports.length === 0) return;
  undo.push('unpublish', () => parts.firewall.apply({ remove: { ports } }));
  parts.firewall.apply({ add: { ports } });
}

function open(
  parts: StackParts,
  requests: readonly EndpointRequest[],
  networks: readonly NetworkRecord[],
  undo: UndoStack,
): Opened {
  const [first] = networks;
  const lone = networks.find(
    ({ driver, configOnly }) => driver === 'host' || driver === 'null' || configOnly,
  );
  if (lone) checkLone(lone, networks.length);
  if (first?.driver === 'host') return { ...parts.namespaces.host(), endpoints: [bareEndpoint(first)] };
  const asked = requests[0];
  if (first?.name === 'bridge' && asked && parts.prepared.fits(asked)) {
    checkMac(asked.macAddress);
    const prepared = parts.prepared.take();
    undo.push('drop namespace', () => giveBack(parts, prepared, opened.endpoints[0]));
    const opened: Opened = {
      sandboxId: prepared.sandboxId,
      netnsPath: prepared.netnsPath,
      endpoints: [{ ...prepared.endpoint, ...carried(asked) }],
    };
    changeMac(parts, opened, asked.macAddress?.toLowerCase());
    addEndpoints(parts, opened, requests.slice(1), undo);
    return opened;
  }
  const bare = parts.namespaces.take();
  const opened: Opened = { ...bare, endpoints: lone ? [bareEndpoint(lone)] : [] };
  undo.push('drop namespace', () => parts.namespaces.drop(bare.netnsPath));
  if (!lone) addEndpoints(parts, opened, requests, undo);
  return opened;
}

/** One that has changed is not what the next container expects. */
function giveBack(parts: StackParts, prepared: PreparedSandbox, endpoint: EndpointRecord | undefined): void {
  const links = parts.kernel.namespaces.interfaces(prepared.netnsPath).size;
  if (endpoint?.macAddress === prepared.endpoint.macAddress && links === 2) parts.prepared.putBack(prepared);
  else parts.prepared.drop(prepared);
}

function changeMac(parts: StackParts, opened: Opened, mac: string | undefined): void {
  const [endpoint] = opened.endpoints;
  if (!mac || !endpoint || mac === endpoint.macAddress) return;
  endpoint.macAddress = mac;
  try {
    parts.kernel.namespaces.setMac(opened.netnsPath, endpoint.interfaceName, mac);
  } catch (thrown) {
    throw WharfError.from(thrown, 'invalid');
  }
}

function addEndpoints(
  parts: StackParts,
  opened: Opened,
  requests: readonly EndpointRequest[],
  undo: UndoStack,
): void {
  const before = [...opened.endpoints];
  for (const request of requests) {
    const endpoint = openEndpoint(parts, request, opened, opened.endpoints);
    // The namespace takes the interface with it.
    undo.push('free addresses', () => closeEndpoint(parts, endpoint));
    opened.endpoints.push(endpoint);
  }
  moveRoutes(parts, opened.netnsPath, before, opened.endpoints);
}

/** Some networks take a container for themselves, or none. */
function checkLone(network: NetworkRecord, count: number): void {
  if (network.configOnly)
    throw new WharfError('forbidden', 'cannot create endpoint on configuration-only network');
  if (count === 1) return;
  throw new WharfError('invalid', loneText(network));
}

/** The Engine's words for what can't be connected with others. */
export function loneText(network: NetworkRecord): string {
  return network.driver === 'host'
    ? 'cannot connect container to host network - container must be created in host network mode'
    : 'container cannot be connected to multiple networks with one of the networks in private (none) mode';
}
