import type { Filters } from '../../api/index.ts';
import { type Clock, WharfError } from '../../base/index.ts';
import type { EventBus } from '../events/types.ts';
import { checkFilterKeys, untilFilter } from '../filters/index.ts';

export interface PruneBuildCacheDeps {
  clock: Clock;
  events: Pick<EventBus, 'publish'>;
}

const SINGLE = ['id', 'parent', 'type', 'description', 'inuse', 'shared', 'private'];
const AGES = ['until', 'unused-for'];
const KEYS = new Set([...SINGLE, ...AGES, 'label', 'label!']);

/** Refuses filters as the prune itself. Errors: `invalid`, with Docker's texts. */
export function checkBuildCacheFilters(
  { clock }: Pick<PruneBuildCacheDeps, 'clock'>,
  filters: Filters,
): void {
  try {
    for (const key of AGES) checkAge(filters, key, clock.nowNanos());
    if (AGES.every((key) => filters.has(key)))
      throw new WharfError('invalid', 'conflicting filters: "until" and "unused-for"');
    checkFilterKeys(filters, KEYS);
    for (const key of SINGLE) requireOne(filters.get(key));
  } catch (thrown) {
    const why = WharfError.from(thrown);
    throw new WharfError(why.kind, `failed to prune build cache: ${why.message}`, { cause: thrown });
  }
}

/** Drops cached results of builds: there are none, since nothing is built here. Errors: `invalid` filter. */
export async function pruneBuildCache(
  deps: PruneBuildCacheDeps,
  filters: Filters,
): Promise<{ deleted: string[]; spaceReclaimed: number }> {
  checkBuildCacheFilters(deps, filters);
  deps.events.publish({ type: 'builder', action: 'prune', id: '', attributes: { reclaimed: '0' } });
  return { deleted: [], spaceReclaimed: 0 };
}

function checkAge(filters: Filters, key: string, now: bigint): void {
  const values = filters.get(key);
  requireOne(values);
  try {
    untilFilter(new Map([['until', values ?? []]]), now);
  } catch (thrown) {
    const expected = `"${key}" filter expects a duration (e.g., '24h') or a timestamp`;
    throw new WharfError('invalid', `${expected}: ${WharfError.from(thrown).message}`);
  }
}

function requireOne(values: readonly string[] = []): void {
  if (values.length > 1) throw new WharfError('invalid', 'filters expect only one value');
}
