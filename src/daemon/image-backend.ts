import type { OCIPlatform } from '../api/index.ts';
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
import type { ImagesBackend } from '../server/index.ts';
import type { LateDistribution } from './distribution.ts';
import { type Engine, imageDeps } from './engine.ts';

/** Image operations bound to the engine and to the registries that it reaches. */
export function imagesBackend(engine: Engine, distribution: LateDistribution): ImagesBackend {
  const deps = imageDeps(engine);
  const list = { ...deps, containersOf: (id: string) => imageUsers(engine.store, id) };
  const remove: RemoveDeps = { ...deps, containersOf: (id) => usersOf(engine.store, id) };
  return {
    list: async (input) => listImages(list, input),
    inspect: (ref, { platform }) => inspectImage(deps, ref, chosen(platform)),
    history: async (ref, platform) =>
      [...(await imageHistory(deps, ref, chosen(platform).platform))].map((line) => ({ ...line })),
    tag: async (ref, target) => tagImage(deps, ref, target),
    remove: (ref, { platforms, ...options }) =>
      removeImage(remove, ref, { ...options, platforms: platforms.map(completed) }),
    prune: (filters) =>
      pruneImages({ ...remove, clock: engine.clock, layerBytes: engine.sizes.layerSize }, filters),
    load: (archive, { quiet, platform }, signal) =>
      loadImages(deps, archive, { quiet, ...chosen(platform) }, signal),
    import: (source, { platform, ...options }, signal) =>
      importImage(deps, source, { ...options, ...(platform && { platform: whole(platform) }) }, signal),
    save: async (refs, { platform }) => saveImages(deps, refs, chosen(platform)),
    ...registryOperations(distribution),
    bootstrap: (name, signal) => bootstrapImage(deps, name, signal),
  };
}

/** What speaks to registries. */
function registryOperations(
  distribution: LateDistribution,
): Pick<ImagesBackend, 'pull' | 'push' | 'distribution' | 'search'> {
  return {
    async *pull({ auth, platform, ...input }, signal) {
      const { operations, deps } = await distribution.get();
      const credentials = operations.registryCredentials(auth);
      yield* operations.pullImage(deps, { ...input, ...chosen(platform), credentials }, signal);
    },
    async *push({ auth, platform, ...input }, signal) {
      const { operations, deps } = await distribution.get();
      const credentials = operations.registryCredentials(auth);
      yield* operations.pushImage(deps, { ...input, ...chosen(platform), credentials }, signal);
    },
    async distribution(name, auth, signal) {
      const { operations, deps } = await distribution.get();
      return operations.inspectDistribution(deps, name, operations.registryCredentials(auth), signal);
    },
    async search({ auth, ...input }, signal) {
      const { operations, deps } = await distribution.get();
      const credentials = operations.registryCredentials(auth);
      const found = await operations.searchImages(deps, { ...input, credentials }, signal);
      return [...found].map((result) => ({ ...result }));
    },
  };
}

/** A platform as the API has it, to be matched; nothing when none was asked for. */
function chosen(platform: OCIPlatform | undefined): { platform?: Platform } {
  return platform ? { platform: completed(platform) } : {};
}

function completed(platform: OCIPlatform): Platform {
  return normalizePlatform(whole(platform));
}

/** What is left out is the host's. */
function whole(platform: OCIPlatform): Platform {
  const host = hostPlatform();
  const asked = { os: platform.os || host.os, architecture: platform.architecture || host.architecture };
  return platform.variant ? { ...asked, variant: platform.variant } : asked;
}

/** Containers made from an image, and whether they run. */
export function usersOf(store: ContainerStore, imageId: string): { id: string; running: boolean }[] {
  return imageUsers(store, imageId).map((id) => {
    const status = store.get(id)?.state.status;
    return { id, running: status === 'running' || status === 'paused' || status === 'restarting' };
  });
}
