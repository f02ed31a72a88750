import type { Filters, ImageDeleteResponseItem } from '../../api/index.ts';
import type { Clock } from '../../base/index.ts';
import { booleanFilter, checkFilterKeys } from '../filters/index.ts';
import { imageFilter, isTagged } from './list.ts';
import { deleteImage, type RemoveDeps } from './remove.ts';
import { dropCutDownloads, sweepContent } from './sweep.ts';

const PRUNE_FILTERS = new Set(['dangling', 'label', 'label!', 'until']);

/**
 * Removes images that nothing uses: those without a tag, or with `dangling=false` all. What was downloaded of images whose
 * pull was cut is dangling as well, and goes in both cases, counted as reclaimed: a later pull begins anew then. With a
 * filter by label or time it stays, since it has neither. Errors: `invalid` filter.
 */
export async function pruneImages(
  deps: RemoveDeps & { clock: Clock },
  filters: Filters,
): Promise<{ deleted: ImageDeleteResponseItem[]; spaceReclaimed: number }> {
  checkFilterKeys(filters, PRUNE_FILTERS);
  const onlyDangling = booleanFilter(filters, 'dangling') ?? true;
  const others = new Map([...filters].filter(([key]) => key !== 'dangling'));
  const passes = imageFilter(deps, others);
  const deleted: ImageDeleteResponseItem[] = [];
  let spaceReclaimed = 0;
  for (const image of deps.images.all()) {
    // Somebody else may have removed it since they were listed.
    if (!deps.images.get(image.id) || deps.containersOf(image.id).length > 0) continue;
    if (onlyDangling && isTagged(deps.images.namesOf(image.id))) continue;
    if (!passes(image)) continue;
    spaceReclaimed += await deleteImage(deps, image, deleted);
  }
  if (others.size === 0) spaceReclaimed += await dropCutDownloads(deps);
  await sweepContent(deps);
  deps.events.publish({
    type: 'image',
    action: 'prune',
    id: '',
    attributes: { reclaimed: String(spaceReclaimed) },
  });
  return { deleted, spaceReclaimed };
}
