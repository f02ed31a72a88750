import { GrowingFile } from '../../archive/index.ts';
import { newId, UndoStack } from '../../base/index.ts';
import { chainIds, type Digest, MediaTypes } from '../../oci/index.ts';
import { EXTRACT_PREFIX, type LayerDeps, type Taking } from './layers.ts';
import type { ImageLayer } from './store.ts';

/** Docker's digest of a layer without entries: the two blocks that end a tar. */
const EMPTY_LAYER = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

/**
 * Makes the layer of a tar on top of the layers `below`: its blob is written, and unpacked while it comes in. It is plain:
 * compressing would hold up whoever waits, and a container that is paused for it. Undefined for a tar without entries.
 * Errors: `exhausted` on a full disk, and what the source fails with; nothing stays then.
 */
export async function commitLayer(
  deps: LayerDeps,
  tar: AsyncIterable<Uint8Array>,
  below: readonly ImageLayer[],
  taking: Taking,
): Promise<ImageLayer | undefined> {
  const key = `${EXTRACT_PREFIX}${newId().slice(0, 16)}`;
  taking.lease.add(key);
  await using undo = new UndoStack(deps.log);
  await deps.snapshots.prepare(key, undefined);
  undo.push('remove the half unpacked layer', () => deps.snapshots.remove(key));
  const { blob, bytes } = await writeAndUnpack(deps, tar, deps.snapshots.directory(key), taking);
  const diffId = blob.digest;
  if (diffId === EMPTY_LAYER) return undefined;
  const chainId = chainIds([...below.map((layer) => layer.diffId), diffId]).at(-1) as Digest;
  taking.lease.add(chainId);
  await deps.locks.with(`layer ${chainId}`, () => deps.snapshots.commit(chainId, key, below.at(-1)?.chainId));
  undo.commit();
  const made: ImageLayer = { chainId, diffId, blob, bytes, tarBytes: blob.size };
  deps.made.add(made);
  return made;
}

async function writeAndUnpack(
  deps: LayerDeps,
  tar: AsyncIterable<Uint8Array>,
  target: string,
  { lease, signal }: Taking,
): Promise<{ blob: ImageLayer['blob']; bytes: number }> {
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const began = Promise.withResolvers<GrowingFile>();
  let file: GrowingFile | undefined;
  const source = async function* () {
    yield* tar;
    // Every piece before this one is written.
    file?.end();
  };
  const written = deps.content
    .write(source(), undefined, either, {
      began(path) {
        file = new GrowingFile(path);
        began.resolve(file);
      },
      grew: (size) => file?.advance(size),
      verified: (digest) => lease.add(digest),
    })
    .catch((thrown: unknown) => {
      began.reject(thrown);
      file?.fail(thrown);
      throw thrown;
    });
  const unpacked = began.promise
    .then((growing) => deps.unpack({ source: growing, target }, either))
    .catch((thrown: unknown) => {
      failed.abort(thrown);
      throw thrown;
    });
  // Both have ended before anything is taken back: the one who failed first names the reason.
  const [blob, layer] = await Promise.allSettled([written, unpacked]);
  if (failed.signal.aborted && layer.status === 'rejected') throw layer.reason;
  if (blob.status === 'rejected') throw blob.reason;
  if (layer.status === 'rejected') throw layer.reason;
  return { blob: { ...blob.value, mediaType: MediaTypes.ociLayer }, bytes: layer.value.fileBytes };
}
