import type { OCIPlatform } from '../api/index.ts';
import { WharfError } from '../base/index.ts';
import { type ContainerStore, imageUsers } from '../engine/containers/index.ts';
import {
  bootstrapImage,
  imageHistory,
  importImage,
  inspectImage,
  listImages,
  loadImages,
  pruneImages,
  type RemoveDeps,
  removeImage,
  saveImages,
  tagImage,
} from '../engine/images/index.ts';
import { hostPlatform, normalizePlatform, type Platform } from '../oci/index.ts';
import type { ImagesBackend, ProgressLine } from '../server/index.ts';
import { type Engine, imageDeps } from './engine.ts';

/** Image operations bound to the engine. */
export function imagesBackend(engine: Engine): ImagesBackend {
  const deps = imageDeps(engine);
  const list = { ...deps, containersOf: (id: string) => imageUsers(engine.store, id) };
  const remove: RemoveDeps = { ...deps, containersOf: (id) => usersOf(engine.store, id) };
  return {
    list: async (input) => listImages(list, input),
    inspect: (ref, { platform }) => inspectImage(deps, ref, chosen(platform)),
    history: async (ref, platform) =>
      [...(await imageHistory(deps, ref, chosen(platform).platform))].map((line) => ({ ...line })),
    tag: async (ref, target) => tagImage(deps, ref, target),
    remove: (ref, options) => removeImage(remove, ref, options),
    prune: (filters) => pruneImages({ ...remove, clock: engine.clock }, filters),
    load: (archive, { quiet, platform }, signal) =>
      loadImages(deps, archive, { quiet, ...chosen(platform) }, signal),
    import: (source, { platform, ...options }, signal) =>
      importImage(deps, source, { ...options, ...chosen(platform) }, signal),
    save: async (refs, { platform }) => saveImages(deps, refs, chosen(platform)),
    pull: ({ image, tag }) => refusePull(tag ? `${image}:${tag}` : image),
    bootstrap: (name, signal) => bootstrapImage(deps, name, signal),
  };
}

/** A platform as the API has it, completed by the host's; nothing when none was asked for. */
function chosen(platform: OCIPlatform | undefined): { platform?: Platform } {
  if (!platform) return {};
  const host = hostPlatform();
  const asked = { os: platform.os || host.os, architecture: platform.architecture || host.architecture };
  return { platform: normalizePlatform(platform.variant ? { ...asked, variant: platform.variant } : asked) };
}

function usersOf(store: ContainerStore, imageId: string): { id: string; running: boolean }[] {
  return imageUsers(store, imageId).map((id) => {
    const status = store.get(id)?.state.status;
    return { id, running: status === 'running' || status === 'paused' || status === 'restarting' };
  });
}

// biome-ignore lint/correctness/useYield: a stream of progress that fails before its first line
async function* refusePull(image: string): AsyncIterable<ProgressLine> {
  throw new WharfError(
    'not-implemented',
    `cannot pull ${image}: this version of Wharf does not pull from registries. Use "wharf image bootstrap busybox|debian", or "load" an archive made by "docker save"`,
  );
}
