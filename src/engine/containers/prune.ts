import type { Filters } from '../../api/index.ts';
import { type Clock, isKind, type Logger } from '../../base/index.ts';
import type { EventBus } from '../events/types.ts';
import { checkFilterKeys, matchLabels, untilFilter } from '../filters/index.ts';
import type { ContainerRecord } from './record.ts';
import { countsAsRunning, timeNanos } from './status-text.ts';
import type { ContainerStore } from './store.ts';

export interface PruneDeps {
  store: ContainerStore;
  events: EventBus;
  clock: Clock;
  log: Logger;
  /** Bytes of disk that come free with a container. */
  bytesOf(record: ContainerRecord): Promise<number>;
  /** Removes a stopped container. */
  remove(record: ContainerRecord): Promise<void>;
  /** Resolves when the files of removed containers are off the disk. */
  settled(): Promise<void>;
}

const KEYS = new Set(['label', 'label!', 'until']);

/** The containers that a prune takes: those that are not running and fit the filters. Errors: `invalid` filter. */
export function prunableContainers(
  deps: Pick<PruneDeps, 'store' | 'clock'>,
  filters: Filters,
): ContainerRecord[] {
  checkFilterKeys(filters, KEYS);
  const until = untilFilter(filters, deps.clock.nowNanos());
  return deps.store.all().filter((record) => {
    if (countsAsRunning(record) || record.state.status === 'removing') return false;
    if (until !== undefined && timeNanos(record.created) > until) return false;
    return matchLabels(filters, record.config.Labels ?? {});
  });
}

/** Removes the containers of `prunableContainers`; one that can't be removed is logged and passed over. Errors: `invalid` filter. */
export async function pruneContainers(
  deps: PruneDeps,
  filters: Filters,
): Promise<{ deleted: string[]; spaceReclaimed: number }> {
  const pruned = { deleted: [] as string[], spaceReclaimed: 0 };
  for (const record of prunableContainers(deps, filters)) {
    try {
      const bytes = await deps.bytesOf(record);
      await deps.remove(record);
      pruned.deleted.push(record.id);
      pruned.spaceReclaimed += bytes;
    } catch (thrown) {
      // Started or removed by someone else meanwhile: not ours to prune any more.
      if (isKind(thrown, 'not-found') || isKind(thrown, 'conflict')) continue;
      deps.log.warn('container not pruned', { container: record.id, error: thrown });
    }
  }
  await deps.settled();
  deps.events.publish({
    type: 'container',
    action: 'prune',
    id: '',
    attributes: { reclaimed: String(pruned.spaceReclaimed) },
  });
  return pruned;
}
