import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Digest, digestOf } from '../../../oci/index.ts';
import { bodyOf, fault, type Handler, json } from './serve.ts';

/** What one repository holds. */
export interface MemoryRepository {
  tags: Map<string, Digest>;
  manifests: Map<string, { bytes: Buffer; mediaType: string }>;
  blobs: Map<string, Buffer>;
}

/** A registry in memory: the plain protocol, without rights, for tests of clients. */
export interface MemoryRegistry {
  repositories: Map<string, MemoryRepository>;
  /** Bytes that came so far, by upload. */
  uploads: Map<string, Buffer>;
  repository(path: string): MemoryRepository;
  /** Stores a manifest under a tag, as if it had been pushed. */
  put(path: string, tag: string, bytes: Buffer, mediaType: string): Digest;
  /** Stores a blob, as if it had been pushed. */
  addBlob(path: string, bytes: Buffer): Digest;
  handler: Handler;
}

/** What a registry may lack or want. */
export interface MemoryOptions {
  /** False for one that knows no referrers API. */
  referrers?: boolean;
  /** Entries on a page of a listing. */
  page?: number;
  /** False for one without ranges. */
  ranges?: boolean;
  /** Most bytes of one request of an upload. */
  maxChunk?: number;
}

const ROUTE =
  /^\/v2\/(?<path>.+?)\/(?<what>manifests|blobs|tags|referrers)\/(?<rest>uploads\/[^/]*|[^/]+)\/?$/;

/** Opens an empty registry. */
export function memoryRegistry(options: MemoryOptions = {}): MemoryRegistry {
  const repositories = new Map<string, MemoryRepository>();
  const registry: MemoryRegistry = {
    repositories,
    uploads: new Map(),
    repository(path) {
      let found = repositories.get(path);
      if (!found) {
        found = { tags: new Map(), manifests: new Map(), blobs: new Map() };
        repositories.set(path, found);
      }
      return found;
    },
    put(path, tag, bytes, mediaType) {
      const digest = digestOf(bytes);
      registry.repository(path).manifests.set(digest, { bytes, mediaType });
      registry.repository(path).tags.set(tag, digest);
      return digest;
    },
    addBlob(path, bytes) {
      const digest = digestOf(bytes);
      registry.repository(path).blobs.set(digest, bytes);
      return digest;
    },
    handler: (request, response) => route(registry, options, request, response),
  };
  return registry;
}

interface Exchange {
  registry: MemoryRegistry;
  options: MemoryOptions;
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  path: string;
  rest: string;
}

async function route(
  registry: MemoryRegistry,
  options: MemoryOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://registry');
  if (url.pathname === '/v2/') return json(response, 200, {});
  if (url.pathname === '/v2/_catalog')
    return listing(response, url, options, 'repositories', [...registry.repositories.keys()]);
  const { path = '', what = '', rest = '' } = ROUTE.exec(url.pathname)?.groups ?? {};
  const exchange = { registry, options, request, response, url, path, rest };
  if (what === 'manifests') return await manifests(exchange);
  if (what === 'blobs' && rest.startsWith('uploads/')) return await uploads(exchange);
  if (what === 'blobs') return blobs(exchange);
  if (what === 'tags') return tags(exchange);
  if (what === 'referrers' && options.referrers !== false) return referrers(exchange);
  fault(response, 404, 'UNSUPPORTED', 'no such route');
}

async function manifests({ registry, request, response, path, rest }: Exchange): Promise<void> {
  const known = registry.repositories.get(path);
  if (request.method === 'PUT') {
    const bytes = await bodyOf(request);
    let document: Record<string, unknown>;
    try {
      document = JSON.parse(String(bytes));
      if (!document['config'] && !document['manifests']) throw new Error('neither manifest nor index');
    } catch {
      return fault(response, 400, 'MANIFEST_INVALID', 'manifest invalid');
    }
    const digest = rest.startsWith('sha512:') ? hashed('sha512', bytes) : digestOf(bytes);
    if (rest.includes(':') && rest !== digest)
      return fault(response, 400, 'DIGEST_INVALID', 'digest invalid');
    const repository = registry.repository(path);
    repository.manifests.set(digest, { bytes, mediaType: String(request.headers['content-type']) });
    if (!rest.includes(':')) repository.tags.set(rest, digest as Digest);
    const headers: Record<string, string> = { location: `/v2/${path}/manifests/${digest}` };
    headers['docker-content-digest'] = digest;
    response.writeHead(201, { ...headers, 'content-length': '0' }).end();
    return;
  }
  const digest = rest.includes(':') ? rest : known?.tags.get(rest);
  const found = digest === undefined ? undefined : known?.manifests.get(digest);
  if (!known || !found || digest === undefined)
    return fault(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
  if (request.method === 'DELETE') {
    if (rest.includes(':')) {
      known.manifests.delete(digest);
      for (const [tag, target] of known.tags) if (target === digest) known.tags.delete(tag);
    } else known.tags.delete(rest);
    response.writeHead(202, { 'content-length': '0' }).end();
    return;
  }
  response.writeHead(200, {
    'content-type': found.mediaType,
    'content-length': String(found.bytes.length),
    'docker-content-digest': digest,
  });
  response.end(request.method === 'HEAD' ? undefined : found.bytes);
}

function blobs({ registry, options, request, response, path, rest }: Exchange): void {
  const bytes = registry.repositories.get(path)?.blobs.get(rest);
  if (bytes) sendBytes(request, response, bytes, options.ranges !== false);
  else fault(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
}

/** Answers with bytes, or with those from which a Range asks for. */
export function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer,
  ranges = true,
): void {
  const asked = ranges ? /^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] : undefined;
  const start = Number(asked ?? 0);
  if (asked !== undefined && start >= bytes.length) {
    response.writeHead(416, { 'content-length': '0' }).end();
    return;
  }
  response.writeHead(asked === undefined ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': String(bytes.length - start),
    ...(asked !== undefined && { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes.subarray(start));
}

async function uploads(exchange: Exchange): Promise<void> {
  const { registry, request, response, url, path, rest } = exchange;
  const id = rest.slice('uploads/'.length);
  const mount = url.searchParams.get('mount');
  if (request.method === 'POST') {
    const shared = registry.repositories.get(url.searchParams.get('from') ?? '')?.blobs.get(mount ?? '');
    if (mount !== null && shared) {
      registry.repository(path).blobs.set(mount, shared);
      response.writeHead(201, { location: `/v2/${path}/blobs/${mount}`, 'content-length': '0' }).end();
      return;
    }
    const fresh = randomUUID();
    registry.uploads.set(fresh, Buffer.alloc(0));
    return uploadState(exchange, 202, fresh);
  }
  if (!registry.uploads.has(id)) return fault(response, 404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown');
  if (request.method === 'GET') return uploadState(exchange, 204, id);
  if (request.method === 'DELETE') {
    registry.uploads.delete(id);
    response.writeHead(204).end();
    return;
  }
  if (!(await take(exchange, id))) return;
  if (request.method === 'PATCH') return uploadState(exchange, 202, id);
  const bytes = registry.uploads.get(id) ?? Buffer.alloc(0);
  registry.uploads.delete(id);
  const digest = url.searchParams.get('digest') ?? '';
  if (hashed(digest.split(':')[0] ?? '', bytes) !== digest)
    return fault(response, 400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
  registry.repository(path).blobs.set(digest, bytes);
  const headers = { location: `/v2/${path}/blobs/${digest}`, 'docker-content-digest': digest };
  response.writeHead(201, { ...headers, 'content-length': '0' }).end();
}

/** Keeps what comes, also of a request that is cut in the middle. */
async function take({ registry, options, request, response }: Exchange, id: string): Promise<boolean> {
  const { headers } = request;
  const before = registry.uploads.get(id) ?? Buffer.alloc(0);
  const start = /^(\d+)-/.exec(headers['content-range'] ?? '')?.[1];
  if (start !== undefined && Number(start) !== before.length) {
    fault(response, 416, 'BLOB_UPLOAD_INVALID', 'blob upload invalid');
    return false;
  }
  if (Number(headers['content-length']) > (options.maxChunk ?? Number.POSITIVE_INFINITY)) {
    response.writeHead(413, { 'content-length': '0' }).end();
    return false;
  }
  const parts = [before];
  try {
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  } finally {
    registry.uploads.set(id, Buffer.concat(parts));
  }
  return true;
}

function uploadState({ registry, response, path }: Exchange, status: number, id: string): void {
  const length = registry.uploads.get(id)?.length ?? 0;
  response.writeHead(status, {
    location: `/v2/${path}/blobs/uploads/${id}?_state=secret-state`,
    range: `0-${Math.max(0, length - 1)}`,
    'docker-upload-uuid': id,
    'content-length': '0',
  });
  response.end();
}

function tags({ registry, options, response, url, path }: Exchange): void {
  const repository = registry.repositories.get(path);
  if (repository) listing(response, url, options, 'tags', [...repository.tags.keys()]);
  else fault(response, 404, 'NAME_UNKNOWN', 'repository name not known to registry');
}

function listing(
  response: ServerResponse,
  url: URL,
  options: MemoryOptions,
  field: string,
  names: string[],
): void {
  const sorted = names.sort();
  const last = url.searchParams.get('last');
  const rest = last === null ? sorted : sorted.filter((name) => name > last);
  const page = rest.slice(0, Math.min(options.page ?? 1000, Number(url.searchParams.get('n') ?? 1000)));
  const more = page.length < rest.length;
  const next = `<${url.pathname}?n=${page.length}&last=${page.at(-1)}>; rel="next"`;
  json(response, 200, { [field]: page }, more ? { link: next } : {});
}

function referrers({ registry, response, url, path, rest }: Exchange): void {
  const wanted = url.searchParams.get('artifactType');
  const entries = [...(registry.repositories.get(path)?.manifests ?? [])].flatMap(([digest, stored]) => {
    const document = JSON.parse(String(stored.bytes));
    const artifactType = document.artifactType ?? document.config?.mediaType;
    if (document.subject?.digest !== rest || (wanted !== null && wanted !== artifactType)) return [];
    const { annotations } = document;
    return [{ mediaType: stored.mediaType, digest, size: stored.bytes.length, artifactType, annotations }];
  });
  json(
    response,
    200,
    { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: entries },
    { 'content-type': 'application/vnd.oci.image.index.v1+json' },
  );
}

function hashed(algorithm: string, bytes: Buffer): string {
  if (!/^sha(256|512)$/.test(algorithm)) return '';
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}
