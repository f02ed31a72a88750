import type { Filters } from '../../api/index.ts';
import { type Clock, isKind, type Logger } from '../../base/index.ts';
import type { Snapshotter } from '../../snapshot/types.ts';
import type { EventBus } from '../events/types.ts';
import { checkFilterKeys, matchLabels, untilFilter } from '../filters/index.ts';
import type { ContainerRecord } from './record.ts';
import { countsAsRunning, timeNanos } from './status-text.ts';
import type { ContainerStore } from './store.ts';

export interface PruneDeps {
  store: ContainerStore;
  snapshotter: Pick<Snapshotter, 'usage'>;
  events: EventBus;
  clock: Clock;
  log: Logger;
  /** Removes a stopped container. */
  remove(record: ContainerRecord): Promise<void>;
}

const KEYS = new Set(['label', 'label!', 'until']);

/** Removes the containers that are not running and fit the filters; one that can't be removed is logged and passed over. Errors: `invalid` filter. */
export async function pruneContainers(
  deps: PruneDeps,
  filters: Filters,
): Promise<{ deleted: string[]; spaceReclaimed: number }> {
  checkFilterKeys(filters, KEYS);
  const until = untilFilter(filters, deps.clock.nowNanos());
  const pruned = { deleted: [] as string[], spaceReclaimed: 0 };
  for (const record of deps.store.all()) {
    if (countsAsRunning(record) || record.state.status === 'removing') continue;
    if (until !== undefined && timeNanos(record.created) > until) continue;
    if (!matchLabels(filters, record.config.Labels ?? {})) continue;
    try {
      const bytes = await ownBytes(deps, record);
      await deps.remove(record);
      pruned.deleted.push(record.id);
      pruned.spaceReclaimed += bytes;
    } catch (thrown) {
      // Started or removed by someone else meanwhile: not ours to prune any more.
      if (isKind(thrown, 'not-found') || isKind(thrown, 'conflict')) continue;
      deps.log.warn('container not pruned', { container: record.id, error: thrown });
    }
  }
  deps.events.publish({
    type: 'container',
    action: 'prune',
    id: '',
    attributes: { reclaimed: String(pruned.spaceReclaimed) },
  });
  return pruned;
}

async function ownBytes(deps: PruneDeps, record: ContainerRecord): Promise<number> {
  try {
    return (await deps.snapshotter.usage(record.id)).bytes;
  } catch (thrown) {
    if (isKind(thrown, 'not-found')) return 0;
    throw thrown;
  }
}
