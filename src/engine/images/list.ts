import type { Filters, ImageSummary } from '../../api/index.ts';
import type { Clock } from '../../base/index.ts';
import { booleanFilter, checkFilterKeys, matchLabels, untilFilter } from '../filters/index.ts';
import { referencePattern } from './filters.ts';
import { familiarName, type ImageRecord, type ImageStore } from './store.ts';

export interface ListDeps {
  images: ImageStore;
  clock: Clock;
  /** Ids of containers that were made from the image. */
  containersOf: (imageId: string) => string[];
}

export interface ListInput {
  all: boolean;
  digests: boolean;
  sharedSize: boolean;
  manifests: boolean;
  filters: Filters;
}

const LIST_FILTERS = new Set(['dangling', 'label', 'label!', 'before', 'since', 'reference', 'until']);

/** Images as `docker images` lists them, newest first. Errors: `invalid` for an unknown filter or a bad value. */
export function listImages(deps: ListDeps, input: ListInput): ImageSummary[] {
  checkFilterKeys(input.filters, LIST_FILTERS);
  const passes = imageFilter(deps, input.filters);
  const shared = input.sharedSize ? sharedBytes(deps.images.all()) : undefined;
  const found: ImageSummary[] = [];
  for (const image of deps.images.all()) {
    const names = passes(image);
    // What only other images were committed from is shown when all are asked for.
    if (names?.length === 0 && !input.all && deps.images.needed().parents.has(image.id)) continue;
    if (names) found.push(summary(deps, image, names, shared));
  }
  return found.sort(
    (a, b) => (b.Created ?? 0) - (a.Created ?? 0) || String(a.Id).localeCompare(String(b.Id)),
  );
}

function summary(
  deps: ListDeps,
  image: ImageRecord,
  names: string[],
  shared: Map<string, number> | undefined,
): ImageSummary {
  const familiar = names.map(familiarName);
  return {
    Id: image.id,
    ParentId: parentOf(deps.images, image),
    RepoTags: familiar.filter((name) => !name.includes('@')),
    RepoDigests: familiar.filter((name) => name.includes('@')),
    Created: unixSeconds(image.created),
    Size: imageSize(image),
    SharedSize: shared ? sharedOf(image, shared) : -1,
    Labels: image.labels as Record<string, string>,
    Containers: deps.containersOf(image.id).length,
  };
}

/** Bytes of an image's files, all layers. */
export function imageSize(image: ImageRecord): number {
  return image.layers.reduce((sum, layer) => sum + layer.bytes, 0);
}

/** The image that this one was committed from, as long as it is here; else empty. */
export function parentOf(images: Pick<ImageStore, 'get'>, { parent }: ImageRecord): string {
  return parent && images.get(parent) ? parent : '';
}

function unixSeconds(time: string): number {
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) || parsed < 0 ? 0 : Math.floor(parsed / 1000);
}

/** How many images have each layer. */
function sharedBytes(images: ImageRecord[]): Map<string, number> {
  const users = new Map<string, number>();
  for (const image of images) {
    for (const { chainId } of image.layers) users.set(chainId, (users.get(chainId) ?? 0) + 1);
  }
  return users;
}

function sharedOf(image: ImageRecord, users: Map<string, number>): number {
  return image.layers.reduce(
    (sum, layer) => sum + ((users.get(layer.chainId) ?? 0) > 1 ? layer.bytes : 0),
    0,
  );
}

type NameFilter = (image: ImageRecord) => string[] | undefined;

/** Decides which images pass, and under which of their names. */
export function imageFilter(deps: Pick<ListDeps, 'images' | 'clock'>, filters: Filters): NameFilter {
  const dangling = booleanFilter(filters, 'dangling');
  const before = earliest(deps, filters.get('before'), Math.min);
  const since = earliest(deps, filters.get('since'), Math.max);
  const until = untilFilter(filters, deps.clock.nowNanos());
  const patterns = filters.get('reference')?.map(referencePattern);
  return (image) => {
    const names = deps.images.namesOf(image.id);
    const created = Date.parse(image.created);
    // As in Docker, an image with a digest alone is among both.
    if (dangling === true && isTagged(names)) return undefined;
    if (dangling === false && names.length === 0) return undefined;
    if (before !== undefined && !(created < before)) return undefined;
    if (since !== undefined && !(created > since)) return undefined;
    if (until !== undefined && !(created < Number(until / 1_000_000n))) return undefined;
    if (!matchLabels(filters, image.labels ?? {})) return undefined;
    if (!patterns) return names;
    const kept = names.filter((name) => patterns.some((pattern) => pattern(name)));
    return kept.length > 0 ? kept : undefined;
  };
}

/** Whether some name has a tag: digests alone keep no image from being pruned. */
export function isTagged(names: string[]): boolean {
  return names.some((name) => !name.includes('@'));
}

function earliest(
  deps: Pick<ListDeps, 'images'>,
  refs: readonly string[] | undefined,
  pick: (...times: number[]) => number,
): number | undefined {
  if (!refs || refs.length === 0) return undefined;
  return pick(...refs.map((ref) => Date.parse(deps.images.resolve(ref).created)));
}
