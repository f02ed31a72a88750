import { WharfError } from '../../base/index.ts';
import type { NetworkStack } from '../../network/types.ts';
import type { EventBus } from '../events/types.ts';
import { publishContainerEvent } from './container-events.ts';
import { dnsNames, wishes } from './endpoints.ts';
import { isPredefinedNetwork } from './modes.ts';
import { checkContainerName } from './names.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerStore } from './store.ts';

export interface RenameDeps {
  store: ContainerStore;
  events: EventBus;
  networks: Pick<NetworkStack, 'rename'>;
}

/** Gives a container another name. Errors: `not-found`, `invalid` name, `conflict`; texts are Docker's. */
export async function renameContainer(deps: RenameDeps, ref: string, name: string): Promise<void> {
  if (name === '') throw new WharfError('invalid', 'Neither old nor new names may be empty');
  await deps.store.withLock(ref, async (record) => {
    const before = record.name;
    const next = name.startsWith('/') ? name.slice(1) : name;
    if (next === before) {
      throw new WharfError('invalid', 'Renaming a container with the same name as its current name');
    }
    try {
      deps.store.rename(record, checkContainerName(name, `/${next}`));
    } catch (thrown) {
      const reason = WharfError.from(thrown);
      throw new WharfError(reason.kind, `Error when allocating new name: ${reason.message}`, {
        cause: thrown,
      });
    }
    renameEndpoints(deps, record);
    publishContainerEvent(deps.events, record, 'rename', { oldName: `/${before}` });
  });
}

/** A running container is found under its name of now from now on. Errors: those of the network. */
export function renameEndpoints(deps: Pick<RenameDeps, 'store' | 'networks'>, record: ContainerRecord): void {
  if (record.sandboxId === undefined) return;
  const names = new Map<string, string[]>();
  for (const [network, settings] of Object.entries(wishes(record))) {
    if (isPredefinedNetwork(network) || !settings.NetworkID) continue;
    settings.DNSNames = dnsNames(record, network);
    names.set(settings.NetworkID, settings.DNSNames);
  }
  deps.store.save(record);
  deps.networks.rename(record.sandboxId, record.name, names);
}
