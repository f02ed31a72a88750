import type { Filters, PlanItem } from '../../api/index.ts';
import { type Clock, WharfError } from '../../base/index.ts';
import { EXTRACT_PREFIX } from './layers.ts';
import { imagePruneRule } from './prune.ts';
import { forgetImage, type RemoveDeps, unrecordImage } from './remove.ts';
import { familiarName, type ImageRecord, type Needed } from './store.ts';
import { downloaded, isForgotten, isHeld, wholeBlocks } from './sweep.ts';

/** What plans about images use. */
export interface ImagePlanDeps extends RemoveDeps {
  clock: Clock;
  layerBytes: (key: string) => Promise<number>;
  /** Containers that would be gone by then: what they stand on is free. */
  without?: ReadonlySet<string>;
}

/** One thing that would happen, and what the records would need after it. */
interface Step extends Omit<PlanItem, 'Bytes'> {
  needed: Needed;
}

/** What `pruneImages` would do now. Errors: `invalid` filter. */
export async function planImagePrune(deps: ImagePlanDeps, filters: Filters): Promise<PlanItem[]> {
  const rule = imagePruneRule(deps, filters);
  const steps = rehearse(deps, (quiet) => {
    const done: Step[] = [];
    for (const image of deps.images.all()) {
      if (!rule.takes(image)) continue;
      const names = deps.images.namesOf(image.id);
      forgetImage(quiet, image);
      done.push(imageStep(deps, image, names[0]));
    }
    return { done, needed: deps.images.needed() };
  });
  const items = await withBytes(deps, steps.done, await unneeded(deps, steps.needed));
  const forgotten = isForgotten(deps.clock);
  for await (const { key, size, modified } of deps.content.ingests()) {
    const digest = downloaded(key);
    if (!digest || deps.leases.has(digest) || !(rule.downloads || forgotten({ modified }))) continue;
    items.push({ Kind: 'download', ID: digest, Name: '', Bytes: wholeBlocks(size) });
  }
  return items;
}

/** What `removeImage` would do now for these, one after the other. What it would refuse has a `Reason`. */
export async function planImageRemoval(
  deps: ImagePlanDeps,
  refs: readonly string[],
  options: { force: boolean },
): Promise<PlanItem[]> {
  const blobs = new Set<string>();
  const steps = rehearse(deps, (quiet) => {
    return refs.flatMap((ref): Step[] => {
      const before = deps.images.find(ref);
      for (const digest of before ? deps.images.blobsOf(before.id) : []) blobs.add(digest);
      try {
        return removalSteps(deps, unrecordImage(quiet, ref, options));
      } catch (thrown) {
        const Reason = WharfError.from(thrown).message;
        const ID = before?.id ?? '';
        return [{ Kind: 'image', ID, Name: ref, Reason, needed: deps.images.needed() }];
      }
    });
  });
  const last = steps.at(-1);
  return last ? withBytes(deps, steps, await unneeded(deps, last.needed, blobs)) : [];
}

function removalSteps(deps: ImagePlanDeps, done: ReturnType<typeof unrecordImage>): Step[] {
  const names = done.items.flatMap(({ Untagged }) => Untagged ?? []);
  if (done.went) return [imageStep(deps, done.image, names[0])];
  const needed = deps.images.needed();
  return names.map((Name) => ({ Kind: 'name', ID: done.image.id, Name, needed }));
}

function imageStep({ images }: ImagePlanDeps, image: ImageRecord, name: string | undefined): Step {
  return { Kind: 'image', ID: image.id, Name: name ? familiarName(name) : '', needed: images.needed() };
}

/** Does it to the records, silently, and takes it back: the command's own code decides, and nothing has changed. */
function rehearse<T>(deps: ImagePlanDeps, work: (quiet: RemoveDeps) => T): T {
  const done: { result?: T } = {};
  const takenBack = new Error('a rehearsal');
  try {
    deps.images.transaction(() => {
      done.result = work({ ...deps, events: { publish: () => {} } });
      throw takenBack;
    });
  } catch (thrown) {
    if (thrown !== takenBack) throw thrown;
  }
  return done.result as T;
}

/**
 * What a sweep would remove with these needs, with bytes on disk, by key; of blobs only those `among`, when given.
 */
async function unneeded(
  deps: ImagePlanDeps,
  needed: Needed,
  among?: ReadonlySet<string>,
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const stays = layersInUse(deps, needed);
  for (const { key } of deps.snapshots.list()) {
    if (stays.has(key) || deps.without?.has(key)) continue;
    found.set(key, await deps.layerBytes(key));
  }
  for await (const { digest, size } of deps.content.list()) {
    if (isHeld(deps, digest, needed) || (among && !among.has(digest))) continue;
    found.set(digest, wholeBlocks(size));
  }
  return found;
}

/** The layers that images need, work in progress has leased or containers stand on, with all below them. */
function layersInUse(deps: ImagePlanDeps, needed: Needed): Set<string> {
  const all = deps.snapshots.list();
  const parents = new Map(all.map(({ key, parent }) => [key, parent]));
  const stays = new Set<string>();
  for (const { key, kind } of all) {
    const container = kind === 'active' && !key.startsWith(EXTRACT_PREFIX) && !deps.without?.has(key);
    if (!container && !needed.layers.has(key) && !deps.leases.has(key)) continue;
    for (let at: string | undefined = key; at !== undefined && !stays.has(at); at = parents.get(at))
      stays.add(at);
  }
  return stays;
}

/** Each key counts for the first step after which nothing needs it; what nothing needed before is an item of its own. */
async function withBytes(
  deps: ImagePlanDeps,
  steps: readonly Step[],
  free: ReadonlyMap<string, number>,
): Promise<PlanItem[]> {
  const before = deps.images.needed();
  const items = steps.map(({ needed: _, ...step }): PlanItem => ({ ...step, Bytes: 0 }));
  const left: PlanItem = { Kind: 'layers', ID: '', Name: 'layers and blobs that no image has', Bytes: 0 };
  for (const [key, bytes] of free) {
    const has = ({ blobs, layers }: Needed) => blobs.has(key) || layers.has(key);
    const at = has(before) ? steps.findIndex(({ needed }) => !has(needed)) : -1;
    (items[at] ?? left).Bytes += bytes;
  }
  return left.Bytes > 0 ? [...items, left] : items;
}
