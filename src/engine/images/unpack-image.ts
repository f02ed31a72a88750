import { WharfError } from '../../base/index.ts';
import { inChain, makeLayer } from './layers.ts';
import type { LoadDeps } from './load.ts';
import { takeIn } from './take-in.ts';

/** Makes those layers of an image that are not unpacked yet. Errors: `not-found` image, `exhausted`, `corrupt` blob. */
export async function unpackImage(deps: LoadDeps, imageId: string): Promise<void> {
  await takeIn(deps, async (lease) => {
    const image = deps.images.get(imageId);
    if (!image) throw new WharfError('not-found', `No such image: ${imageId}`);
    lease.add(...deps.images.blobsOf(image.id), ...image.layers.map(({ chainId }) => chainId));
    const toMake = image.layers.map(({ chainId, diffId, blob }, at) => ({
      chainId,
      diffId,
      blob,
      parent: image.layers[at - 1]?.chainId,
    }));
    await inChain(toMake, undefined, (layer, below, signal) =>
      makeLayer(deps, layer, { lease, signal }, { below }),
    );
  });
}
