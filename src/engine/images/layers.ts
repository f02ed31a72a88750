import { createHash } from 'node:crypto';
import { pipeline, Readable, type TransformOptions } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { constants, createZstdCompress, type ZstdOptions } from 'node:zlib';
import { DEFAULT_LIMITS, decompress, type GrowingFile, TarDecoder } from '../../archive/index.ts';
import { abortable, type KeyedLock, type Logger, newId, UndoStack, WharfError } from '../../base/index.ts';
import type { ContentStore, Lease } from '../../content/index.ts';
import { type Descriptor, type Digest, MediaTypes, parseDigest } from '../../oci/index.ts';
import type { Snapshotter } from '../../snapshot/index.ts';
import type { MadeLayers } from './made-layers.ts';
import type { ImageLayer } from './store.ts';

/** What the compressor gives at a time: each piece is a trip to another thread, and its default pieces are of 16 KiB. */
const CHUNK = 1 << 20;

/** Layers that begin in one turn of the event loop: images of good intent have no more. */
const BEGUN_AT_ONCE = 64;

/** Begins the keys of snapshots that layers are unpacked into. */
export const EXTRACT_PREFIX = 'extract-';

/** Work that brings content in: what it leases, and how it is cancelled. */
export interface Taking {
  lease: Lease;
  signal?: AbortSignal | undefined;
}

/** Unpacks a layer blob into a directory, checking its diffID: `unpackLayer` of `archive`. `bytes` counts the plain tar, `fileBytes` its files. */
export type LayerUnpacker = (
  request: {
    source: string | GrowingFile;
    target: string;
    expectedDiffId?: Digest;
    onProgress?: (read: number) => void;
  },
  signal?: AbortSignal,
) => Promise<{ diffId: Digest; bytes: number; fileBytes: number }>;

export interface LayerDeps {
  content: ContentStore;
  snapshots: Snapshotter;
  unpack: LayerUnpacker;
  /** Serialises unpacking by chainID, and by blob while that comes in: a layer wanted twice at once is unpacked once. */
  locks: KeyedLock;
  /** What is known of the layers that are here. */
  made: MadeLayers;
  log: Logger;
}

/**
 * Stores a layer that came as a plain tar, compressed (zstd), and says what its diffID is.
 * Plain tars would take the disk twice, as a blob and unpacked; decompressing gives back the very same bytes.
 * One that compresses so well that it would be refused as a bomb, as gigabytes of zeros do, stays plain: whoever gave it had
 * to send all of it.
 */
export async function storePlainLayer(
  content: ContentStore,
  source: AsyncIterable<Uint8Array>,
  { lease, signal }: Taking,
  { ratioFreeBytes, maxRatio }: Pick<typeof DEFAULT_LIMITS, 'ratioFreeBytes' | 'maxRatio'> = DEFAULT_LIMITS,
): Promise<{ blob: Descriptor; diffId: Digest }> {
  const hash = createHash('sha256');
  let plainBytes = 0;
  const hashed = async function* () {
    for await (const chunk of source) {
      hash.update(chunk);
      plainBytes += chunk.length;
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
  const verified = (digest: Digest) => lease.add(digest);
  const written = await content.write(packed as AsyncIterable<Buffer>, undefined, signal, { verified });
  const diffId = parseDigest(`sha256:${hash.digest('hex')}`);
  if (plainBytes <= ratioFreeBytes || plainBytes <= maxRatio * written.size)
    return { blob: { ...written, mediaType: MediaTypes.ociLayerZstd }, diffId };
  // The packed one goes with the lease: no image names it.
  const again = decompress(content.open(written.digest), { maxRatio: Number.POSITIVE_INFINITY });
  const plain = await content.write(again, { digest: diffId, size: plainBytes }, signal, { verified });
  return { blob: { ...plain, mediaType: MediaTypes.ociLayer }, diffId };
}

/** A layer to be made: its name, what it stands on, and the blob it is unpacked from. */
export interface LayerToMake {
  chainId: Digest;
  /** chainID of the layer below. */
  parent: Digest | undefined;
  diffId: Digest;
  blob: Descriptor;
}

/** Circumstances of a layer's making. */
export interface LayerMaking {
  /** The making of its parent: the layer takes its place when that has ended well. */
  below?: Promise<unknown>;
  /** What its blob is read from while it comes in; without this the blob must be here. */
  source?: () => Promise<string | GrowingFile>;
  /** When the blob is here. */
  arrived?: Promise<unknown>;
  /** Told how many bytes of the blob are unpacked. */
  onProgress?: (read: number) => void;
}

/**
 * Makes the layer of a blob on top of its parents, or finds it there. It is unpacked at once, before its parents are.
 * Errors: `corrupt` when the blob does not unpack to `diffId`; `invalid` for a hostile archive.
 */
export async function makeLayer(
  deps: LayerDeps,
  layer: LayerToMake,
  taking: Taking,
  making: LayerMaking = {},
): Promise<ImageLayer> {
  const { chainId, diffId } = layer;
  taking.lease.add(chainId, layer.blob.digest);
  // One that still comes is by itself: it may come slowly, or never, and must not hold up another packing.
  const key = `layer ${chainId}${making.source ? ` ${layer.blob.digest}` : ''}`;
  return lockedUnlessCancelled(deps.locks, key, taking.signal, async () => {
    if (deps.snapshots.stat(chainId)?.kind === 'layer') return knownLayer(deps, layer, taking, making);
    const made = { chainId, diffId, blob: layer.blob, ...(await unpackInto(deps, layer, taking, making)) };
    deps.made.add(made);
    return made;
  });
}

/** Who waits for the lock may give up; who has it must end its work first. */
async function lockedUnlessCancelled<T>(
  locks: KeyedLock,
  key: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const waiting = new AbortController();
  const onAbort = () => waiting.abort();
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const held = locks.with(key, async () => {
    signal?.removeEventListener('abort', onAbort);
    if (signal?.aborted) throw new WharfError('cancelled', 'the request was cancelled');
    return work();
  });
  return abortable(held, waiting.signal);
}

/**
 * Works on the layers of one image, lowest first, all at once; each is told of the one below it. When one fails, the
 * others are cancelled; the first failure is thrown after all have ended. `begin` calls the beginnings of up to 64,
 * which run up to where they first wait; it may fail after it, too.
 */
export async function inChain<T, R>(
  items: readonly T[],
  signal: AbortSignal | undefined,
  work: (item: T, below: Promise<unknown>, signal: AbortSignal) => Promise<R>,
  begin: (all: () => void) => void = (all) => all(),
): Promise<R[]> {
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  let failure: { thrown: unknown } | undefined;
  let below: Promise<unknown> = Promise.resolve();
  const fail = (thrown: unknown) => {
    failure ??= { thrown };
    failed.abort();
  };
  const all: Promise<R>[] = [];
  const start = (item: T) => {
    const own = work(item, below, either);
    own.catch(fail);
    below = own;
    all.push(own);
  };
  try {
    for (let at = 0; at < items.length; at += BEGUN_AT_ONCE) {
      // Others have their turn when an image has absurdly many.
      if (at > 0) await setImmediate();
      if (failure) break;
      begin(() => {
        for (const item of items.slice(at, at + BEGUN_AT_ONCE)) start(item);
      });
    }
  } catch (thrown) {
    fail(thrown);
  }
  const results: R[] = [];
  for (const settled of await Promise.allSettled(all)) {
    if (settled.status === 'fulfilled') results.push(settled.value);
  }
  if (failure) throw failure.thrown;
  return results;
}

/**
 * A layer that is here. Another packing of it is read once before it counts as one: it is what will be saved and pushed. Of a
 * layer that no image has any more the figures are counted anew on the way. Errors: `corrupt` when the blob holds another one.
 */
async function knownLayer(
  deps: LayerDeps,
  layer: LayerToMake,
  { signal }: Taking,
  making: LayerMaking,
): Promise<ImageLayer> {
  const { chainId, diffId, blob } = layer;
  const known = deps.made.find(chainId, blob.digest);
  if (known?.blob.digest === blob.digest) return { ...known, blob };
  await making.arrived;
  const hash = createHash('sha256');
  const files = countFileBytes();
  let tarBytes = 0;
  for await (const chunk of decompress(deps.content.open(blob.digest))) {
    signal?.throwIfAborted();
    hash.update(chunk);
    files.push(chunk);
    tarBytes += chunk.length;
  }
  const bytes = files.total();
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== diffId)
    throw new WharfError(
      'corrupt',
      `the layer ${blob.digest} unpacks to ${found}, its image names ${diffId}`,
    );
  const made = { chainId, diffId, tarBytes, bytes, ...known, blob };
  deps.made.add(made);
  return made;
}

/** Counts the apparent bytes of the files and symbolic links of a tar that is pushed to it. Errors: as of `TarDecoder`. */
export function countFileBytes(): { push(piece: Uint8Array): void; total(): number } {
  const sizes = new Map<string, number>();
  const decoder = new TarDecoder(
    {
      entry: ({ name, type, size, linkName }) =>
        sizes.set(name, type === 'symlink' ? Buffer.byteLength(linkName) : size),
      data: () => undefined,
      end: () => undefined,
    },
    DEFAULT_LIMITS,
  );
  return {
    push: (piece) => decoder.push(piece),
    total() {
      decoder.finish();
      return [...sizes.values()].reduce((sum, size) => sum + size, 0);
    },
  };
}

async function unpackInto(
  deps: LayerDeps,
  layer: LayerToMake,
  taking: Taking,
  making: LayerMaking,
): Promise<{ tarBytes: number; bytes: number }> {
  const key = `${EXTRACT_PREFIX}${newId().slice(0, 16)}`;
  taking.lease.add(key);
  await using undo = new UndoStack(deps.log);
  await deps.snapshots.prepare(key, undefined);
  undo.push('remove the half unpacked layer', () => deps.snapshots.remove(key));
  const request = {
    source: (await making.source?.()) ?? deps.content.pathOf(layer.blob.digest),
    target: deps.snapshots.directory(key),
    expectedDiffId: layer.diffId,
    ...(making.onProgress ? { onProgress: making.onProgress } : {}),
  };
  const unpacked = await deps.unpack(request, taking.signal);
  await deps.snapshots.commit(layer.chainId, key, layer.parent, making.below);
  undo.commit();
  return { tarBytes: unpacked.bytes, bytes: unpacked.fileBytes };
}
