import type { Descriptor } from '../../oci/index.ts';
import { nameImage, type RegisterDeps } from './register.ts';
import { canonicalName, type ImageRecord, type ImageStore } from './store.ts';
import { type SweepDeps, sweepAmong } from './sweep.ts';
import { targetName } from './target-name.ts';

/**
 * Gives an image one more name, taking it from whoever has it. As in Docker, nothing happens when no name is given.
 * Errors: `not-found` source, `invalid` target.
 */
export async function tagImage(
  deps: Pick<RegisterDeps, 'images' | 'events' | 'clock'> & SweepDeps,
  ref: string,
  target: { repo: string; tag: string },
): Promise<void> {
  const image = deps.images.resolve(ref);
  const name = targetName(target.repo, target.tag);
  if (!name) return;
  const before = deps.images.name(name);
  const kept = before?.target ? deps.images.blobsOf(before.imageId) : [];
  nameImage(deps, image, name, targetOf(deps.images, ref, image));
  // The name stood for something that may be kept for no other.
  if (kept.length > 0) await sweepAmong(deps, kept);
}

/**
 * What the very name that was given stood for at its registry, so that the new one is pushed whole, too. An id stands for
 * nothing there: the image may have other names, of indexes that have nothing to do with this one.
 */
function targetOf(images: ImageStore, ref: string, image: ImageRecord): Descriptor | undefined {
  const name = canonicalName(ref);
  const entry = name === undefined ? undefined : images.name(name);
  return entry?.imageId === image.id ? entry.target : undefined;
}
