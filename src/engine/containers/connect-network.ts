import type { EndpointSettings } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { NetworkRecord } from '../../network/types.ts';
import { askedSettings, checkEndpoint } from './check-networking.ts';
import { publishNetworkEvent } from './container-events.ts';
import {
  dnsNames,
  endpointRequest,
  findNetwork,
  noteEndpoints,
  wishedNetworks,
  wishes,
} from './endpoints.ts';
import type { RunDeps } from './lifecycle-deps.ts';
import { isPredefinedNetwork } from './modes.ts';
import type { ContainerRecord } from './record.ts';
import { checkTogether } from './start-network.ts';

/** What putting a container on a network and taking it off use. */
export type AttachDeps = Pick<RunDeps, 'store' | 'events' | 'networks' | 'log' | 'updateNetworkFiles'>;

/**
 * Puts a container on one more network: at once when it runs, at its next start when not, which then tells when there is no
 * such network. The container's wish, in its
 * record, is the truth; it is written when the network has taken the container, so that a daemon that dies in between
 * leaves an endpoint without a wish, which recovery takes away. Errors: `not-found`, `invalid`, `forbidden` (it is on it
 * already), `conflict` (it is being removed), and those of the network.
 */
export async function connectContainer(
  deps: AttachDeps,
  networkRef: string,
  input: { container: string; settings?: EndpointSettings },
): Promise<void> {
  await deps.store.withLock(input.container, async (record) => {
    refuseRemoved(record, networkRef);
    const running = record.sandboxId !== undefined;
    const network = running ? deps.networks.get(networkRef) : findNetwork(deps.networks, networkRef);
    const name = network?.name ?? networkRef;
    const settings = askedSettings(input.settings ?? {});
    checkEndpoint(name, network, settings);
    const known = Object.hasOwn(wishes(record), name);
    const mode = record.hostConfig.NetworkMode ?? 'bridge';
    checkTogether(mode, [...wishedNetworks(record).filter((one) => one !== name), name]);
    if (known && running) {
      const text = `endpoint with name ${record.name} already exists in network ${name}`;
      throw new WharfError('forbidden', text);
    }
    // As in the reference, a stopped container keeps what it asked for first.
    if (known) return;
    wishes(record)[name] = settings;
    if (network && !isPredefinedNetwork(name)) settings.DNSNames = dnsNames(record, name);
    const joined = running ? network : undefined;
    try {
      if (joined) await attach(deps, record, joined);
      deps.store.save(record);
    } catch (thrown) {
      delete wishes(record)[name];
      if (joined) await detachAgain(deps, record, joined);
      throw thrown;
    }
    if (joined) publishNetworkEvent(deps.events, 'connect', joined, record.id);
  });
}

/** Errors: `conflict` for a container whose removal is under way. */
export function refuseRemoved(record: ContainerRecord, network: string): void {
  const { status } = record.state;
  if (status !== 'removing' && status !== 'dead') return;
  throw new WharfError(
    'conflict',
    `Container ${record.id} is marked for removal and cannot be connected or disconnected to the network ${network}`,
  );
}

/** Puts a running container on a network that it wishes for already. Errors: those of the network. */
export async function attach(
  deps: Pick<AttachDeps, 'store' | 'networks' | 'updateNetworkFiles'>,
  record: ContainerRecord,
  network: Pick<NetworkRecord, 'name'>,
): Promise<void> {
  const sandboxId = record.sandboxId ?? '';
  const before = deps.networks.sandbox(sandboxId);
  const after = await deps.networks.connect(sandboxId, endpointRequest(deps.store, record, network.name));
  noteEndpoints(record, after);
  if (before) deps.updateNetworkFiles(record, before, after);
}

/** Takes a running container off a network, whatever it wishes. It is off even when its files can't be written. Errors: those of the network. */
export async function detach(
  deps: Pick<AttachDeps, 'networks' | 'updateNetworkFiles' | 'log'>,
  record: ContainerRecord,
  networkId: string,
): Promise<void> {
  const sandboxId = record.sandboxId ?? '';
  const before = deps.networks.sandbox(sandboxId);
  const after = await deps.networks.disconnect(sandboxId, networkId);
  try {
    if (before) deps.updateNetworkFiles(record, before, after);
  } catch (thrown) {
    deps.log.warn('container keeps lines of a network it left', { container: record.id, error: thrown });
  }
}

async function detachAgain(deps: AttachDeps, record: ContainerRecord, network: NetworkRecord): Promise<void> {
  const sandbox = deps.networks.sandbox(record.sandboxId ?? '');
  if (!sandbox?.endpoints.some(({ networkId }) => networkId === network.id)) return;
  try {
    await detach(deps, record, network.id);
  } catch (thrown) {
    deps.log.warn('container stays on a network it was not to join', { container: record.id, error: thrown });
  }
}
