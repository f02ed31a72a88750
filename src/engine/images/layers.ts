import { createHash } from 'node:crypto';
import { pipeline, Readable, type TransformOptions } from 'node:stream';
import { constants, createZstdCompress, type ZstdOptions } from 'node:zlib';
import { decompress, readTar } from '../../archive/index.ts';
import { type KeyedLock, type Logger, newId, UndoStack } from '../../base/index.ts';
import type { ContentStore, Lease } from '../../content/index.ts';
import { type Descriptor, type Digest, MediaTypes, parseDigest } from '../../oci/index.ts';
import type { Snapshotter } from '../../snapshot/index.ts';
import type { ImageLayer } from './store.ts';

/** What the compressor gives at a time: each piece is a trip to another thread, and its default pieces are of 16 KiB. */
const CHUNK = 1 << 20;

/** Begins the keys of snapshots that layers are unpacked into. */
export const EXTRACT_PREFIX = 'extract-';

/** Work that brings content in: what it leases, and how it is cancelled. */
export interface Taking {
  lease: Lease;
  signal?: AbortSignal | undefined;
}

/** Unpacks a layer blob into a directory, checking its diffID: `unpackLayer` of `archive`. `bytes` counts the plain tar, `fileBytes` its files. */
export type LayerUnpacker = (
  request: { source: string; target: string; expectedDiffId: Digest },
  signal?: AbortSignal,
) => Promise<{ diffId: Digest; bytes: number; fileBytes: number }>;

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
  { lease, signal }: Taking,
): Promise<{ blob: Descriptor; diffId: Digest }> {
  const hash = createHash('sha256');
  const hashed = async function* () {
    for await (const chunk of source) {
      hash.update(chunk);
      yield chunk;
    }
  };
  const options: ZstdOptions & TransformOptions = {
    chunkSize: CHUNK,
    highWaterMark: 4 * CHUNK,
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  };
  const compress = createZstdCompress(options);
  // A failing source destroys the compressor with its error, which the store's write then reports.
  const packed = pipeline(Readable.from(hashed(), { objectMode: false }), compress, () => {});
  const packedHash = createHash('sha256');
  const leased = async function* () {
    for await (const chunk of packed as AsyncIterable<Buffer>) {
      packedHash.update(chunk);
      yield chunk;
    }
    // Before the store names the blob: a sweep must not see it without a holder.
    lease.add(`sha256:${packedHash.digest('hex')}`);
  };
  const written = await content.write(leased(), undefined, signal);
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
export async function makeLayer(deps: LayerDeps, layer: LayerToMake, taking: Taking): Promise<ImageLayer> {
  const { chainId, diffId } = layer;
  taking.lease.add(chainId, layer.blob.digest);
  return deps.locks.with(`layer ${chainId}`, async () => {
    if (deps.snapshots.stat(chainId)?.kind === 'layer') return knownLayer(deps, layer);
    return { chainId, diffId, blob: layer.blob, ...(await unpackInto(deps, layer, taking)) };
  });
}

/** A layer that is here; of one that no image has any more the figures are counted anew, from its blob. */
async function knownLayer(deps: LayerDeps, layer: LayerToMake): Promise<ImageLayer> {
  const { chainId, diffId, blob } = layer;
  const known = deps.knownLayer(chainId);
  if (known) return { ...known, blob };
  let tarBytes = 0;
  const counted = async function* () {
    for await (const chunk of decompress(deps.content.open(blob.digest))) {
      tarBytes += chunk.length;
      yield chunk;
    }
  };
  const sizes = new Map<string, number>();
  for await (const { name, type, size, linkName } of readTar(counted())) {
    sizes.set(name, type === 'symlink' ? Buffer.byteLength(linkName) : size);
  }
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return { chainId, diffId, blob, tarBytes, bytes };
}

async function unpackInto(
  deps: LayerDeps,
  layer: LayerToMake,
  taking: Taking,
): Promise<{ tarBytes: number; bytes: number }> {
  const key = `${EXTRACT_PREFIX}${newId().slice(0, 16)}`;
  taking.lease.add(key);
  await using undo = new UndoStack(deps.log);
  await deps.snapshots.prepare(key, layer.parent);
  undo.push('remove the half unpacked layer', () => deps.snapshots.remove(key));
  const request = {
    source: deps.content.pathOf(layer.blob.digest),
    target: deps.snapshots.directory(key),
    expectedDiffId: layer.diffId,
  };
  const unpacked = await deps.unpack(request, taking.signal);
  await deps.snapshots.commit(layer.chainId, key);
  undo.commit();
  return { tarBytes: unpacked.bytes, bytes: unpacked.fileBytes };
}
