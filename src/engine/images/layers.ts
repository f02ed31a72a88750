import { createHash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { constants, createZstdCompress } from 'node:zlib';
import { type KeyedLock, type Logger, newId, UndoStack, WharfError } from '../../base/index.ts';
import type { ContentStore } from '../../content/index.ts';
import { type Descriptor, type Digest, MediaTypes, parseDigest } from '../../oci/index.ts';
import type { Snapshotter } from '../../snapshot/index.ts';
import type { ImageLayer } from './store.ts';

/** Unpacks a layer blob into a directory: `unpackLayer` of `archive`. */
export type LayerUnpacker = (request: {
  source: string;
  target: string;
  expectedDiffId?: Digest;
  signal?: AbortSignal;
}) => Promise<{ diffId: Digest; bytes: number }>;

export interface LayerDeps {
  content: ContentStore;
  snapshots: Snapshotter;
  unpack: LayerUnpacker;
  /** Serialises unpacking by chainID: a layer wanted twice at once is unpacked once. */
  locks: KeyedLock;
  /** Bytes of layers already here, by chainID: from the records of images that have them. */
  knownLayer: (chainId: Digest) => ImageLayer | undefined;
  log: Logger;
}

/**
 * Stores a layer that came as a plain tar, compressed (zstd), and says what its diffID is.
 * Plain tars would take the disk twice, as a blob and unpacked; decompressing gives back the very same bytes.
 */
export async function storePlainLayer(
  content: ContentStore,
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<{ blob: Descriptor; diffId: Digest }> {
  const hash = createHash('sha256');
  const hashed = async function* () {
    for await (const chunk of source) {
      hash.update(chunk);
      yield chunk;
    }
  };
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  // A failing source destroys the compressor with its error, which the store's write then reports.
  const packed = pipeline(Readable.from(hashed(), { objectMode: false }), compress, () => {});
  const written = await content.write(packed, undefined, signal);
  const blob = { ...written, mediaType: MediaTypes.ociLayerZstd };
  return { blob, diffId: parseDigest(`sha256:${hash.digest('hex')}`) };
}

/** A layer to be made: its name, what it stands on, and the blob it is unpacked from. */
export interface LayerToMake {
  chainId: Digest;
  /** chainID of the layer below. */
  parent: Digest | undefined;
  diffId: Digest;
  blob: Descriptor;
}

/**
 * Makes the layer of a blob on top of its parents, or finds it there.
 * Errors: `corrupt` when the blob does not unpack to `diffId`; `invalid` for a hostile archive.
 */
export async function makeLayer(
  deps: LayerDeps,
  layer: LayerToMake,
  signal?: AbortSignal,
): Promise<ImageLayer> {
  const { chainId, diffId } = layer;
  return deps.locks.with(`layer ${chainId}`, async () => {
    if (deps.snapshots.stat(chainId)?.kind === 'layer') {
      const known = deps.knownLayer(chainId);
      const bytes = known?.bytes ?? (await deps.snapshots.usage(chainId)).bytes;
      return { chainId, diffId, blob: known?.blob ?? layer.blob, bytes };
    }
    return { chainId, diffId, blob: layer.blob, bytes: await unpackInto(deps, layer, signal) };
  });
}

async function unpackInto(deps: LayerDeps, layer: LayerToMake, signal?: AbortSignal): Promise<number> {
  const key = `extract-${newId().slice(0, 16)}`;
  await using undo = new UndoStack(deps.log);
  await deps.snapshots.prepare(key, layer.parent);
  undo.push('remove the half unpacked layer', () => deps.snapshots.remove(key));
  const { diffId, bytes } = await deps.unpack({
    source: deps.content.pathOf(layer.blob.digest),
    target: deps.snapshots.directory(key),
    expectedDiffId: layer.diffId,
    signal,
  });
  if (diffId !== layer.diffId) {
    throw new WharfError(
      'corrupt',
      `layer ${layer.blob.digest} unpacks to ${diffId}, its image says ${layer.diffId}`,
    );
  }
  await deps.snapshots.commit(layer.chainId, key);
  undo.commit();
  return bytes;
}
