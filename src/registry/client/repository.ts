import { isKind, type Logger, WharfError } from '../../base/index.ts';
import {
  bareMediaType,
  type Descriptor,
  type Digest,
  type Index,
  isDigest,
  MediaTypes,
  parseDigest,
} from '../../oci/index.ts';
import type { BlobSource, FetchedManifest, Repository } from '../types.ts';
import { fetchBlob, statBlob } from './blobs.ts';
import { RegistryError } from './errors.ts';
import { digestLike, fetchManifest, resolveManifest } from './manifests.ts';
import { checkedReference, isRepositoryPath, isTag } from './names.ts';
import { listField, PAGE, pages } from './pages.ts';
import { listReferrers, withReferrer } from './referrers.ts';
import type { Session } from './session.ts';
import { type OpenUpload, opened, uploadBlob } from './upload.ts';

/** Where a repository is asked. */
export interface RepositorySessions {
  own: Session;
  /** Asked first, best first, for what is read. */
  mirrors: readonly Session[];
  log: Logger;
}

/** A repository over HTTP. */
export class HttpRepository implements Repository {
  readonly path: string;
  private readonly own: Session;
  private mirrors: readonly Session[];
  private readonly log: Logger;
  /** Uploads that a refused mount left open. */
  private readonly uploads = new Map<Digest, OpenUpload>();

  constructor(path: string, { own, mirrors, log }: RepositorySessions) {
    if (!isRepositoryPath(path)) throw new WharfError('invalid', 'invalid reference format');
    this.path = path;
    this.own = own;
    this.mirrors = mirrors;
    this.log = log;
  }

  resolve(reference: string, signal?: AbortSignal): Promise<Descriptor> {
    return this.read((session) => resolveManifest(session, this.path, reference, signal));
  }

  manifest(reference: string, signal?: AbortSignal): Promise<FetchedManifest> {
    return this.read((session) => fetchManifest(session, this.path, reference, signal));
  }

  blob(
    blob: Descriptor,
    offset: number,
    signal?: AbortSignal,
  ): Promise<{ start: number; body: AsyncIterable<Uint8Array> }> {
    return this.read(async (session) => {
      const { start, body } = await fetchBlob(session, this.path, blob, offset, signal);
      return { start, body: session === this.own ? body : this.watched(session, body) };
    });
  }

  statBlob(digest: Digest, signal?: AbortSignal): Promise<{ size: number } | undefined> {
    return this.read((session) => statBlob(session, this.path, digest, signal));
  }

  async mountBlob(digest: Digest, from: string, signal?: AbortSignal): Promise<boolean> {
    if (!isRepositoryPath(from)) throw new WharfError('invalid', 'invalid reference format');
    const query = `mount=${encodeURIComponent(parseDigest(digest))}&from=${encodeURIComponent(from)}`;
    try {
      const response = await this.own.request(`mount of ${digest}`, {
        method: 'POST',
        path: `v2/${this.path}/blobs/uploads/?${query}`,
        scopes: [`repository:${from}:pull`],
        signal,
      });
      await response.discard();
      if (response.status === 201) return true;
      if (response.status === 202) this.uploads.set(digest, opened(this.own, response));
      return false;
    } catch (thrown) {
      if (thrown instanceof RegistryError && REFUSED_MOUNT.includes(thrown.status)) return false;
      throw thrown;
    }
  }

  async uploadBlob(source: BlobSource, sent?: (bytes: number) => void, signal?: AbortSignal): Promise<void> {
    const { digest } = source.descriptor;
    const open = this.uploads.get(digest);
    this.uploads.delete(digest);
    await uploadBlob(this.own, { path: this.path, source, sent, signal, open });
  }

  async putManifest(
    bytes: Uint8Array,
    mediaType: string,
    reference: string,
    signal?: AbortSignal,
  ): Promise<Digest> {
    const asked = isDigest(reference) ? reference : undefined;
    const digest = digestLike(bytes, asked);
    if (asked !== undefined && asked !== digest)
      throw new WharfError('corrupt', `the manifest's digest is ${digest}, not ${asked}`);
    const response = await this.own.request(`manifest ${reference}`, {
      method: 'PUT',
      path: `v2/${this.path}/manifests/${checkedReference(reference)}`,
      headers: { 'content-type': bareMediaType(mediaType) },
      body: bytes,
      unknown: 'NAME_UNKNOWN',
      signal,
    });
    await response.discard();
    const stated = response.headers['docker-content-digest'];
    if (isDigest(stated) && stated !== digestLike(bytes, stated))
      throw new WharfError('corrupt', `the registry stored ${stated} for the manifest ${digest}`);
    if (response.headers['oci-subject'] === undefined && Buffer.from(bytes).includes('"subject"'))
      await this.noteReferrer({ bytes, mediaType, digest }, signal);
    return digest;
  }

  async deleteManifest(reference: string, signal?: AbortSignal): Promise<void> {
    const response = await this.own.request(`manifest ${reference}`, {
      method: 'DELETE',
      path: `v2/${this.path}/manifests/${checkedReference(reference)}`,
      unknown: 'MANIFEST_UNKNOWN',
      signal,
    });
    await response.discard();
  }

  async *tags(signal?: AbortSignal): AsyncGenerator<string> {
    const call = { path: `v2/${this.path}/tags/list?n=${PAGE}`, unknown: 'NAME_UNKNOWN', signal };
    for await (const { document } of pages(this.own, 'tags', call)) {
      for (const tag of listField(document, 'tags', 'tags')) {
        if (!isTag(tag)) throw new WharfError('invalid', 'the registry lists a tag whose name is none');
        yield tag;
      }
    }
  }

  async referrers(digest: Digest, artifactType?: string, signal?: AbortSignal): Promise<Index> {
    parseDigest(digest);
    let none: Index | undefined;
    try {
      return await this.read(
        (session) => listReferrers(session, this.path, digest, artifactType, signal),
        (list) => {
          // A mirror may know none because it never asked for any.
          none = list;
          return list.manifests.length > 0;
        },
      );
    } catch (thrown) {
      if (!none || isKind(thrown, 'cancelled')) throw thrown;
      return none;
    }
  }

  /** Asks the mirrors in turn and then the registry. A mirror that fails, or lacks what is asked for, is passed over. */
  private async read<T>(
    ask: (session: Session) => Promise<T>,
    enough: (found: T) => boolean = (found) => found !== undefined,
  ): Promise<T> {
    for (const mirror of this.mirrors) {
      try {
        const found = await ask(mirror);
        if (enough(found)) return found;
      } catch (thrown) {
        const error = WharfError.from(thrown, 'unavailable');
        if (error.kind === 'cancelled') throw error;
        this.log.debug('a mirror was passed over', { repository: this.path, error: error.message });
        if (!isKind(error, 'not-found')) this.giveUp(mirror);
      }
    }
    return ask(this.own);
  }

  private giveUp(mirror: Session): void {
    this.mirrors = this.mirrors.filter((other) => other !== mirror);
  }

  /** A mirror that breaks in the middle of a blob is not asked for the rest of it. */
  private async *watched(mirror: Session, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (thrown) {
      this.giveUp(mirror);
      throw thrown;
    }
  }

  /** For a registry without the referrers API the client keeps the list (distribution-spec, "Pushing Manifests with Subject"). */
  private async noteReferrer(
    manifest: { bytes: Uint8Array; mediaType: string; digest: Digest },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const list = await withReferrer(this.own, this.path, manifest, signal);
    if (list) await this.putManifest(list.bytes, MediaTypes.ociIndex, list.tag, signal);
  }
}

/** Answers to a mount that mean "send it", not "you may not push". */
const REFUSED_MOUNT = [400, 403, 404, 405];
