import { isKind, WharfError } from '../../base/index.ts';
import type { NetworkRecord } from '../../network/types.ts';
import { type AttachDeps, detach, refuseRemoved } from './connect-network.ts';
import { publishNetworkEvent } from './container-events.ts';
import { findNetwork, wishes } from './endpoints.ts';
import type { ContainerRecord } from './record.ts';
import { saveAnyway } from './save-anyway.ts';

/**
 * Takes a container off a network: at once when it runs, for its next start when not. Its wish goes first, durably: a
 * daemon that dies in between has recovery finish it. Errors: `not-found`, `internal` (it is not on it, as Docker
 * answers), `invalid` (the host's network), `conflict` (it is being removed).
 */
export async function disconnectContainer(
  deps: AttachDeps,
  networkRef: string,
  input: { container: string; force: boolean },
): Promise<void> {
  await deps.store.withLock(found(deps, input), async (record) => {
    refuseRemoved(record, networkRef);
    const running = record.sandboxId !== undefined;
    // One that does not run may wish for a network that is gone.
    const mustExist = record.state.pid !== 0 && !input.force;
    const network = mustExist ? deps.networks.get(networkRef) : findNetwork(deps.networks, networkRef);
    const name = network?.name ?? networkRef;
    if (record.hostConfig.NetworkMode === 'host' && name === 'host') {
      const text =
        'cannot disconnect container from host network - container was created in host network mode';
      throw new WharfError('invalid', text);
    }
    const settings = wishes(record);
    const wish = Object.hasOwn(settings, name) ? settings[name] : undefined;
    if (!wish) {
      const what = record.state.pid !== 0 && network ? 'network' : 'the network';
      throw new WharfError('internal', `container ${record.id} is not connected to ${what} ${name}`);
    }
    delete settings[name];
    try {
      deps.store.save(record);
      if (running && network) await leave(deps, record, network);
    } catch (thrown) {
      settings[name] = wish;
      saveAnyway(deps, record);
      throw thrown;
    }
    if (!running || !network) return;
    publishNetworkEvent(deps.events, 'disconnect', network, record.id);
  });
}

/** The container's id. Errors: `not-found`; with `force` it is an endpoint that was looked for. */
function found(deps: Pick<AttachDeps, 'store'>, { container, force }: { container: string; force: boolean }) {
  try {
    return deps.store.resolve(container).id;
  } catch (thrown) {
    if (!force || !isKind(thrown, 'not-found')) throw thrown;
    throw new WharfError('not-found', `endpoint ${container} not found`, { cause: thrown });
  }
}

async function leave(deps: AttachDeps, record: ContainerRecord, network: NetworkRecord): Promise<void> {
  try {
    await detach(deps, record, network.id);
  } catch (thrown) {
    // Already off it: what was asked for holds.
    if (!isKind(thrown, 'not-found')) throw thrown;
  }
}
