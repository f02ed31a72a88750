import type { Filters, ImageDeleteResponseItem } from '../../api/index.ts';
import type { Clock } from '../../base/index.ts';
import { booleanFilter, checkFilterKeys } from '../filters/index.ts';
import { imageFilter, isTagged } from './list.ts';
import { deleteImage, type RemoveDeps } from './remove.ts';
import type { ImageRecord } from './store.ts';
import { dropCutDownloads, sweepContent } from './sweep.ts';

const PRUNE_FILTERS = new Set(['dangling', 'label', 'label!', 'until']);

/** What a prune of images takes. */
export interface ImagePruneRule {
  /** Asked for each image just before it goes: somebody else may have used or removed it since they were listed. */
  takes(image: ImageRecord): boolean;
  /** Also every download that was cut. */
  downloads: boolean;
}

/**
 * A prune takes images that no container was made from: those without a tag, or with `dangling=false` all. What was
 * downloaded of images whose pull was cut is dangling as well, and goes in both cases: a later pull begins anew then. With a
 * filter by label or time it stays, since it has neither. Errors: `invalid` filter.
 */
export function imagePruneRule(deps: RemoveDeps & { clock: Clock }, filters: Filters): ImagePruneRule {
  checkFilterKeys(filters, PRUNE_FILTERS);
  const onlyDangling = booleanFilter(filters, 'dangling') ?? true;
  const others = new Map([...filters].filter(([key]) => key !== 'dangling'));
  const passes = imageFilter(deps, others);
  return {
    downloads: others.size === 0,
    takes: (image) => {
      if (!deps.images.get(image.id) || deps.containersOf(image.id).length > 0) return false;
      if (onlyDangling && isTagged(deps.images.namesOf(image.id))) return false;
      if (onlyDangling && deps.images.needed().parents.has(image.id)) return false;
      return passes(image) !== undefined;
    },
  };
}

/** Removes the images of `imagePruneRule`, and all that nothing needs any more. Errors: `invalid` filter. */
export async function pruneImages(
  deps: RemoveDeps & { clock: Clock },
  filters: Filters,
): Promise<{ deleted: ImageDeleteResponseItem[]; spaceReclaimed: number }> {
  const rule = imagePruneRule(deps, filters);
  const deleted: ImageDeleteResponseItem[] = [];
  let spaceReclaimed = 0;
  for (const image of deps.images.all()) {
    if (rule.takes(image)) spaceReclaimed += await deleteImage(deps, image, deleted);
  }
  if (rule.downloads) spaceReclaimed += await dropCutDownloads(deps);
  spaceReclaimed += await sweepContent(deps);
  await deps.snapshots.settled();
  deps.events.publish({
    type: 'image',
    action: 'prune',
    id: '',
    attributes: { reclaimed: String(spaceReclaimed) },
  });
  return { deleted, spaceReclaimed };
}
