import { abortable, isKind, WharfError } from '../../base/index.ts';
import { type Index, isDigest, MediaTypes, parseDigest } from '../../oci/index.ts';
import type { Repository } from '../types.ts';
import { isRepositoryName, isTag } from './names.ts';
import { MAX_PAGE } from './paging.ts';
import type { Action, Grant, RegistryStorage, StoredManifest } from './types.ts';

/** A repository of this process's registry, and who asks. */
export interface InProcessOptions {
  storage: RegistryStorage;
  path: string;
  /** Rights of the user, as the gatekeeper gave them. */
  grant: Grant;
}

/**
 * A repository of a registry that runs in this process: no socket between, and a blob that the shared content store holds
 * already is linked instead of copied. The caller has such a blob itself: it comes with a source of its bytes. Errors:
 * `invalid` for a path that is none.
 */
export function inProcessRepository(options: InProcessOptions): Repository {
  if (!isRepositoryName(options.path)) throw new WharfError('invalid', 'invalid reference format');
  const { path, storage } = options;
  const may = (action: Action, signal?: AbortSignal) => allow(options, action, signal);
  const manifest = async (reference: string, signal?: AbortSignal): Promise<StoredManifest> => {
    checkReference(reference);
    may('pull', signal);
    const found = await storage.manifest(path, reference);
    if (!found) throw new WharfError('not-found', `manifest ${path}:${reference} is unknown`);
    return found;
  };
  return {
    path,
    ...blobCalls(options),
    async resolve(reference, signal) {
      return plain(await manifest(reference, signal));
    },
    async manifest(reference, signal) {
      const found = await manifest(reference, signal);
      return { descriptor: plain(found), bytes: found.bytes };
    },
    async putManifest(bytes, mediaType, reference, signal) {
      checkReference(reference);
      may('push', signal);
      const tag = options.grant.allowsOverwrite?.(path) === false ? 'new' : 'move';
      const stored = storage.putManifest(path, bytes, mediaType, reference, tag).catch((thrown: unknown) => {
        throw isKind(thrown, 'forbidden')
          ? new WharfError('forbidden', `denied: ${WharfError.from(thrown).message}`)
          : thrown;
      });
      return (await stored).descriptor.digest;
    },
    async deleteManifest(reference, signal) {
      checkReference(reference);
      may('delete', signal);
      if (isDigest(reference)) await storage.deleteManifest(path, reference);
      else await storage.deleteTag(path, reference);
    },
    async *tags(signal) {
      may('pull', signal);
      for (let last: string | undefined, more = true; more; ) {
        const page = await storage.tags(path, { limit: MAX_PAGE, ...(last === undefined ? {} : { last }) });
        yield* page.names;
        last = page.names.at(-1);
        more = page.more;
      }
    },
    async referrers(digest, artifactType, signal): Promise<Index> {
      parseDigest(digest);
      may('pull', signal);
      const manifests = await storage.referrers(path, digest, artifactType);
      return { schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests };
    },
  };
}

type BlobCalls = Pick<Repository, 'blob' | 'statBlob' | 'mountBlob' | 'uploadBlob'>;

function blobCalls(options: InProcessOptions): BlobCalls {
  const { path, storage, grant } = options;
  const may = (action: Action, signal?: AbortSignal) => allow(options, action, signal);
  return {
    async blob({ digest }, offset, signal) {
      parseDigest(digest);
      may('pull', signal);
      const found = await storage.statBlob(path, digest);
      if (!found) throw new WharfError('not-found', `${path} has no blob ${digest}`);
      const start = Math.min(offset, found.size);
      // A range can't say "nothing".
      if (start === found.size) return { start, body: nothing() };
      return { start, body: stoppable(storage.openBlob(path, digest, { start }), signal) };
    },
    async statBlob(digest, signal) {
      parseDigest(digest);
      may('pull', signal);
      return storage.statBlob(path, digest);
    },
    async mountBlob(digest, from, signal) {
      parseDigest(digest);
      if (!isRepositoryName(from)) throw new WharfError('invalid', 'invalid reference format');
      may('push', signal);
      if (!grant.allows('pull', from) || !(await storage.statBlob(from, digest))) return false;
      return storage.linkBlob(path, digest);
    },
    async uploadBlob(source, sent, signal) {
      const { digest, size } = source.descriptor;
      parseDigest(digest);
      may('push', signal);
      if (!(await storage.linkBlob(path, digest, size)))
        await storage.putBlob(path, counted(source.open(0), sent), { digest, size }, signal);
      sent?.(size);
    },
  };
}

function allow({ grant, path }: InProcessOptions, action: Action, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new WharfError('cancelled', 'the request was cancelled');
  if (grant.allows(action, path)) return;
  // Nobody is refused as a user is: whoever asks has no connection on which to log in now.
  throw new WharfError('forbidden', 'denied: requested access to the resource is denied');
}

function checkReference(reference: string): void {
  if (isDigest(reference) || isTag(reference)) return;
  throw new WharfError('invalid', 'invalid reference format');
}

/** As the other side's HEAD would tell it. */
function plain({ descriptor }: StoredManifest) {
  const { mediaType, digest, size } = descriptor;
  return { mediaType, digest, size };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  sent: ((bytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    yield chunk;
    bytes += chunk.byteLength;
    sent?.(bytes);
  }
}

async function* stoppable(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await abortable(chunks.next(), signal);
      if (next.done) return;
      yield next.value;
    }
  } catch (thrown) {
    throw WharfError.from(thrown);
  } finally {
    void chunks.return?.();
  }
}
