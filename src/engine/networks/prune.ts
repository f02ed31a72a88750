import type { Filters } from '../../api/index.ts';
import { type Clock, isKind } from '../../base/index.ts';
import type { NetworkRecord } from '../../network/types.ts';
import { timeNanos } from '../containers/index.ts';
import { checkFilterKeys, matchLabels, untilFilter } from '../filters/index.ts';
import type { NetworkDeps } from './deps.ts';
import { BUILTIN } from './filters.ts';
import { removeNetwork, usersOf } from './remove.ts';

const KEYS = new Set(['label', 'label!', 'until']);

/** The networks that a prune takes: those of users that no running container is on. Errors: `invalid` filter. */
export function prunableNetworks(
  deps: { networks: Pick<NetworkDeps['networks'], 'list' | 'sandboxes'>; clock: Clock },
  filters: Filters,
): NetworkRecord[] {
  checkFilterKeys(filters, KEYS);
  const until = untilFilter(filters, deps.clock.nowNanos());
  const fits = ({ createdAt, labels }: NetworkRecord) =>
    (until === undefined || timeNanos(createdAt) <= until) && matchLabels(filters, labels);
  return deps.networks.list().filter((network) => {
    const stays = BUILTIN.has(network.name) || network.configOnly || usersOf(deps, network.id).length > 0;
    return !stays && fits(network);
  });
}

/** Removes the networks of `prunableNetworks`; answers their names. Errors: `invalid` filter. */
export async function pruneNetworks(deps: NetworkDeps, filters: Filters): Promise<string[]> {
  const deleted: string[] = [];
  for (const network of prunableNetworks(deps, filters)) {
    try {
      await removeNetwork(deps, network.id);
      deleted.push(network.name);
    } catch (thrown) {
      // Used or removed by someone else meanwhile: not ours to prune any more.
      if (!isKind(thrown, 'not-found') && !isKind(thrown, 'forbidden'))
        deps.log.warn('network not pruned', { network: network.id, error: thrown });
    }
  }
  deps.events.publish({ type: 'network', action: 'prune', id: '', attributes: { reclaimed: '0' } });
  return deleted;
}
