import type { Filters } from '../../api/index.ts';
import { isKind, WharfError } from '../../base/index.ts';
import { ANONYMOUS_LABEL, type VolumeRecord } from '../../volume/index.ts';
import { checkFilterKeys, matchLabels, parseBoolean } from '../filters/index.ts';
import { removeVolume, type VolumeDeps } from './operations.ts';

const PRUNE_FILTERS = new Set(['label', 'label!', 'all']);

/**
 * The volumes that a prune takes: anonymous ones (with the filter `all`, named ones too) that no container has. Those with
 * options, and those of plugins, stay, as in Docker: what they show lies elsewhere. Errors: `invalid` filter.
 */
export function prunableVolumes(
  deps: Pick<VolumeDeps, 'volumes' | 'usedVolumes'>,
  filters: Filters,
): VolumeRecord[] {
  checkFilterKeys(filters, PRUNE_FILTERS);
  const all = allFilter(filters);
  const used = deps.usedVolumes();
  return deps.volumes.list().filter((volume) => {
    if (volume.driver !== 'local' || Object.keys(volume.options).length > 0) return false;
    if (!all && !Object.hasOwn(volume.labels, ANONYMOUS_LABEL)) return false;
    return matchLabels(filters, volume.labels) && !used.has(volume.name);
  });
}

/** Removes the volumes of `prunableVolumes`. One that can't be removed is logged and passed over. Errors: `invalid` filter. */
export async function pruneVolumes(
  deps: VolumeDeps,
  filters: Filters,
): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }> {
  const pruned = { VolumesDeleted: [] as string[], SpaceReclaimed: 0 };
  for (const volume of prunableVolumes(deps, filters)) {
    try {
      const { bytes } = await deps.volumes.usage(volume.name);
      await removeVolume(deps, volume.name, { force: false });
      pruned.VolumesDeleted.push(volume.name);
      pruned.SpaceReclaimed += bytes;
    } catch (thrown) {
      // Used or removed by someone else meanwhile: not ours to prune any more.
      if (!isKind(thrown, 'conflict') && !isKind(thrown, 'not-found'))
        deps.log.warn('volume not pruned', { volume: volume.name, error: thrown });
    }
  }
  deps.events.publish({
    type: 'volume',
    action: 'prune',
    id: '',
    attributes: { reclaimed: String(pruned.SpaceReclaimed) },
  });
  return pruned;
}

function allFilter(filters: Filters): boolean {
  const values = filters.get('all') ?? [];
  if (values.length === 0) return false;
  if (values.length > 1) {
    throw new WharfError('invalid', `invalid filter 'all=[${values.join(' ')}]': only one value is expected`);
  }
  const truth = parseBoolean(values[0] as string);
  if (truth === undefined) {
    const why = `strconv.ParseBool: parsing "${values[0]}": invalid syntax`;
    throw new WharfError('invalid', `invalid filter 'all': ${why}`);
  }
  return truth;
}
