import { createHash } from 'node:crypto';
import { WharfError } from '../../../base/index.ts';
import {
  type Descriptor,
  type Digest,
  digestOf,
  type Index,
  isDigest,
  isIndexType,
  isManifestType,
  type Manifest,
  MediaTypes,
  parseIndex,
  parseManifest,
} from '../../../oci/index.ts';
import type { Registries } from '../../../registry/client/types.ts';
import type { FetchedManifest, RegistryCredentials, Repository } from '../../../registry/types.ts';

/** What was asked of a fake registry: `HEAD blob app sha256:…`, by method, path of the repository, and what it was about. */
export interface Call {
  method:
    | 'resolve'
    | 'manifest'
    | 'blob'
    | 'stat'
    | 'mount'
    | 'upload'
    | 'put'
    | 'delete'
    | 'tags'
    | 'referrers';
  path: string;
  /** A digest, a tag, or empty. */
  about: string;
  credentials: RegistryCredentials;
}

interface Contents {
  blobs: Map<string, Buffer>;
  manifests: Map<string, { bytes: Buffer; mediaType: string }>;
  tags: Map<string, Digest>;
}

/**
 * A registry in memory, for tests of pulls and pushes. `before` sees every call first: it may wait, or throw in the
 * registry's place. Bodies come in pieces of `piece` bytes, and `during` sees each before it is passed on.
 */
export class FakeRegistry {
  readonly calls: Call[] = [];
  readonly repositories = new Map<string, Contents>();
  before: (call: Call, signal?: AbortSignal) => void | Promise<void> = () => {};
  during: (call: Call, bytes: number, signal?: AbortSignal) => void | Promise<void> = () => {};
  /** Whether blobs of other repositories may be mounted. */
  mounts = true;
  /** Whether blobs are sent from an offset on; false is a registry that does not know ranges. */
  ranges = true;
  piece = 1 << 16;

  contents(path: string): Contents {
    const known = this.repositories.get(path) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() };
    this.repositories.set(path, known);
    return known;
  }

  /** Puts a blob there, as if somebody had pushed it. */
  addBlob(path: string, bytes: Uint8Array, mediaType: string = MediaTypes.ociLayer): Descriptor {
    const digest = digestOf(bytes);
    this.contents(path).blobs.set(digest, Buffer.from(bytes));
    return { mediaType, digest, size: bytes.byteLength };
  }

  /** Puts a document there; an object is written as JSON first. */
  addManifest(path: string, document: object | Uint8Array, mediaType: string, tag?: string): Descriptor {
    const bytes =
      document instanceof Uint8Array ? Buffer.from(document) : Buffer.from(JSON.stringify(document));
    const digest = digestOf(bytes);
    this.contents(path).manifests.set(digest, { bytes, mediaType });
    if (tag !== undefined) this.contents(path).tags.set(tag, digest);
    return { mediaType, digest, size: bytes.byteLength };
  }

  repository(path: string, credentials: RegistryCredentials = {}): Repository {
    return new FakeRepository(this, path, credentials);
  }

  /** Calls of one method, as `path about`. */
  asked(method: Call['method']): string[] {
    return this.calls.filter((call) => call.method === method).map(({ path, about }) => `${path} ${about}`);
  }
}

/** Registries by domain; every other one can't be reached. `over` replaces single methods. */
export function fakeRegistries(
  known: Record<string, FakeRegistry>,
  over: Partial<Registries> = {},
): Registries {
  const unreachable = async (domain: string): Promise<never> => {
    throw new WharfError(
      'unavailable',
      `Get "https://${domain}/v2/": dial tcp: lookup ${domain}: no such host`,
    );
  };
  return {
    repository({ domain, path }, { credentials = {} }) {
      const registry = known[domain];
      if (registry) return registry.repository(path, credentials);
      const nowhere = new FakeRegistry();
      nowhere.before = () => unreachable(domain);
      return nowhere.repository(path, credentials);
    },
    login: (server) => unreachable(server),
    async *repositories(domain) {
      const registry = known[domain];
      if (!registry) return unreachable(domain);
      yield* [...registry.repositories.keys()].sort();
    },
    search: (domain) => unreachable(domain),
    [Symbol.dispose]() {},
    ...over,
  };
}

class FakeRepository implements Repository {
  readonly path: string;
  private readonly registry: FakeRegistry;
  private readonly credentials: RegistryCredentials;

  constructor(registry: FakeRegistry, path: string, credentials: RegistryCredentials) {
    this.registry = registry;
    this.path = path;
    this.credentials = credentials;
  }

  async resolve(reference: string, signal?: AbortSignal): Promise<Descriptor> {
    await this.call('resolve', reference, signal);
    return this.find(reference).descriptor;
  }

  async manifest(reference: string, signal?: AbortSignal): Promise<FetchedManifest> {
    await this.call('manifest', reference, signal);
    return this.find(reference);
  }

  async blob(blob: Descriptor, offset: number, signal?: AbortSignal) {
    const call = await this.call('blob', blob.digest, signal);
    const bytes = this.contents.blobs.get(blob.digest);
    if (!bytes) throw new WharfError('not-found', 'blob unknown: blob unknown to registry');
    const start = this.registry.ranges ? offset : 0;
    return { start, body: this.pieces(bytes.subarray(start), call, signal) };
  }

  async statBlob(digest: Digest, signal?: AbortSignal): Promise<{ size: number } | undefined> {
    await this.call('stat', digest, signal);
    const bytes = this.contents.blobs.get(digest);
    return bytes && { size: bytes.length };
  }

  async mountBlob(digest: Digest, from: string, signal?: AbortSignal): Promise<boolean> {
    await this.call('mount', `${digest} from ${from}`, signal);
    const bytes = this.registry.repositories.get(from)?.blobs.get(digest);
    if (!bytes || !this.registry.mounts) return false;
    this.contents.blobs.set(digest, bytes);
    return true;
  }

  async uploadBlob(
    source: Parameters<Repository['uploadBlob']>[0],
    sent?: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const call = await this.call('upload', source.descriptor.digest, signal);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const { digest, size } = source.descriptor;
    for await (const chunk of source.open(0)) {
      await this.registry.during(call, bytes, signal);
      refuseWhenAborted(signal);
      chunks.push(chunk);
      bytes += chunk.length;
      sent?.(bytes);
    }
    sent?.(bytes);
    const whole = Buffer.concat(chunks);
    if (bytes !== size || !isOf(whole, digest))
      throw new WharfError('invalid', 'digest invalid: provided digest did not match uploaded content');
    this.contents.blobs.set(digest, whole);
  }

  async putManifest(
    bytes: Uint8Array,
    mediaType: string,
    reference: string,
    signal?: AbortSignal,
  ): Promise<Digest> {
    await this.call('put', reference, signal);
    const digest = digestOf(bytes);
    if (isDigest(reference) && reference !== digest)
      throw new WharfError('invalid', 'digest invalid: provided digest did not match uploaded content');
    if (isManifestType(mediaType) || isIndexType(mediaType))
      this.refuseMissing(
        isIndexType(mediaType) ? parseIndex(bytes, mediaType) : parseManifest(bytes, mediaType),
      );
    return this.registry.addManifest(this.path, bytes, mediaType, isDigest(reference) ? undefined : reference)
      .digest;
  }

  async deleteManifest(reference: string, signal?: AbortSignal): Promise<void> {
    await this.call('delete', reference, signal);
    const { digest } = this.find(reference).descriptor;
    if (!isDigest(reference)) return void this.contents.tags.delete(reference);
    this.contents.manifests.delete(digest);
    for (const [tag, target] of this.contents.tags) if (target === digest) this.contents.tags.delete(tag);
  }

  async *tags(signal?: AbortSignal): AsyncIterable<string> {
    await this.call('tags', '', signal);
    if (this.contents.blobs.size + this.contents.manifests.size === 0)
      throw new WharfError('not-found', 'name unknown: repository name not known to registry');
    yield* [...this.contents.tags.keys()].sort();
  }

  async referrers(digest: Digest, artifactType?: string, signal?: AbortSignal): Promise<Index> {
    await this.call('referrers', digest, signal);
    const manifests: Descriptor[] = [];
    for (const [own, { bytes, mediaType }] of this.contents.manifests) {
      const document = JSON.parse(String(bytes)) as Manifest;
      if (document.subject?.digest !== digest) continue;
      const type = document.artifactType ?? document.config?.mediaType;
      if (artifactType !== undefined && type !== artifactType) continue;
      const { annotations } = document;
      manifests.push({
        mediaType,
        digest: own as Digest,
        size: bytes.length,
        ...(type && { artifactType: type }),
        ...(annotations && { annotations }),
      });
    }
    return { schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests };
  }

  private get contents(): Contents {
    return this.registry.contents(this.path);
  }

  private async call(method: Call['method'], about: string, signal?: AbortSignal): Promise<Call> {
    refuseBadName(method, about);
    const call = { method, path: this.path, about, credentials: this.credentials };
    this.registry.calls.push(call);
    refuseWhenAborted(signal);
    await this.registry.before(call, signal);
    refuseWhenAborted(signal);
    return call;
  }

  private find(reference: string): FetchedManifest {
    const digest = isDigest(reference) ? reference : this.contents.tags.get(reference);
    const stored = digest && this.contents.manifests.get(digest);
    if (!digest || !stored) throw new WharfError('not-found', 'manifest unknown: manifest unknown');
    const { bytes, mediaType } = stored;
    return { bytes, descriptor: { mediaType, digest, size: bytes.length } };
  }

  private async *pieces(bytes: Buffer, call: Call, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    for (let at = 0; at < bytes.length; at += this.registry.piece) {
      await this.registry.during(call, at, signal);
      refuseWhenAborted(signal);
      yield bytes.subarray(at, at + this.registry.piece);
    }
  }

  /** As registries do: what a document names must be there before it. */
  private refuseMissing(document: Manifest | Index): void {
    const blobs = 'layers' in document ? [document.config, ...document.layers] : [];
    for (const blob of blobs) {
      if (!this.contents.blobs.has(blob.digest) && !blob.urls)
        throw new WharfError('invalid', `manifest blob unknown: blob unknown to registry: ${blob.digest}`);
    }
    for (const { digest } of 'manifests' in document ? document.manifests : []) {
      if (!this.contents.manifests.has(digest) && !this.contents.blobs.has(digest))
        throw new WharfError('invalid', `manifest unknown: ${digest}`);
    }
  }
}

/** Methods whose subject is a tag or a digest; of the others it is a digest. */
const BY_REFERENCE = ['resolve', 'manifest', 'put', 'delete'];
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

function refuseBadName(method: Call['method'], about: string): void {
  const [name = '', , from] = about.split(' ');
  const tag = BY_REFERENCE.includes(method) && about === name && TAG.test(name);
  const path = from === undefined || /^[a-z0-9]+([._/-]+[a-z0-9]+)*$/.test(from);
  if (method !== 'tags' && !(path && (tag || isDigest(name))))
    throw new WharfError('invalid', 'the name is none');
}

function isOf(bytes: Buffer, digest: Digest): boolean {
  const [algorithm = '', hex] = digest.split(':');
  return createHash(algorithm).update(bytes).digest('hex') === hex;
}

function refuseWhenAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new WharfError('cancelled', 'the request was cancelled');
}
