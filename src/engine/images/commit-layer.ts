import { chainIds, type Digest, MediaTypes } from '../../oci/index.ts';
import { countFileBytes, type LayerDeps, type Taking } from './layers.ts';
import type { ImageLayer } from './store.ts';

/** Docker's digest of a layer without entries: the two blocks that end a tar. */
const EMPTY_LAYER = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

/**
 * Stores a tar as the layer on top of those `below`. Whoever commits waits for one writing of it to the disk and no more, and
 * so does a paused container: the blob is plain, and it is unpacked when a container first needs it. Undefined for a tar
 * without entries. Errors: `exhausted` on a full disk, and what the source fails with; nothing stays then.
 */
export async function commitLayer(
  { content }: Pick<LayerDeps, 'content'>,
  tar: AsyncIterable<Uint8Array>,
  below: readonly ImageLayer[],
  { lease, signal }: Taking,
): Promise<ImageLayer | undefined> {
  const counted = countFileBytes();
  const source = async function* () {
    for await (const piece of tar) {
      counted.push(piece);
      yield piece;
    }
  };
  const verified = (digest: Digest) => lease.add(digest);
  const written = await content.write(source(), undefined, signal, { verified });
  const diffId = written.digest;
  if (diffId === EMPTY_LAYER) return undefined;
  const chainId = chainIds([...below.map((layer) => layer.diffId), diffId]).at(-1) as Digest;
  lease.add(chainId);
  const blob = { ...written, mediaType: MediaTypes.ociLayer };
  return { chainId, diffId, blob, bytes: counted.total(), tarBytes: blob.size, late: true };
}
