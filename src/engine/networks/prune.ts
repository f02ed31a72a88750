import type { Filters } from '../../api/index.ts';
import { isKind } from '../../base/index.ts';
import type { NetworkRecord } from '../../network/types.ts';
import { timeNanos } from '../containers/index.ts';
import { checkFilterKeys, matchLabels, untilFilter } from '../filters/index.ts';
import type { NetworkDeps } from './deps.ts';
import { BUILTIN } from './filters.ts';
import { removeNetwork, usersOf } from './remove.ts';

const KEYS = new Set(['label', 'label!', 'until']);

/** Removes the networks of users that no running container is on; answers their names. Errors: `invalid` filter. */
export async function pruneNetworks(deps: NetworkDeps, filters: Filters): Promise<string[]> {
  checkFilterKeys(filters, KEYS);
  const until = untilFilter(filters, deps.clock.nowNanos());
  const fits = ({ createdAt, labels }: NetworkRecord) =>
    (until === undefined || timeNanos(createdAt) <= until) && matchLabels(filters, labels);
  const deleted: string[] = [];
  for (const network of deps.networks.list()) {
    const stays = BUILTIN.has(network.name) || network.configOnly || usersOf(deps, network.id).length > 0;
    if (stays || !fits(network)) continue;
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
