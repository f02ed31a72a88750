import { type Digest, isDigest } from '../../oci/index.ts';
import { type FailureCode, RegistryFailure } from './failure.ts';
import { isRepositoryName, isTag, isUploadId } from './names.ts';
import type { Action } from './types.ts';

/** What a URL names; every part of it keeps the grammar. */
export type Route =
  | { kind: 'base' }
  | { kind: 'catalog' }
  | { kind: 'tags'; repository: string }
  /** `reference` is a tag or a digest. */
  | { kind: 'manifest'; repository: string; reference: string }
  | { kind: 'referrers'; repository: string; digest: Digest }
  | { kind: 'blob'; repository: string; digest: Digest }
  | { kind: 'uploads'; repository: string }
  | { kind: 'upload'; repository: string; id: string };

/** The right that each method of a kind of URL needs; methods that are not here are not allowed. */
const ACTIONS: Record<Route['kind'], Partial<Record<string, Action | 'base' | 'catalog'>>> = {
  base: { GET: 'base', HEAD: 'base' },
  catalog: { GET: 'catalog', HEAD: 'catalog' },
  tags: { GET: 'pull', HEAD: 'pull' },
  manifest: { GET: 'pull', HEAD: 'pull', PUT: 'push', DELETE: 'delete' },
  referrers: { GET: 'pull', HEAD: 'pull' },
  blob: { GET: 'pull', HEAD: 'pull', DELETE: 'delete' },
  uploads: { POST: 'push' },
  upload: { GET: 'push', HEAD: 'push', PATCH: 'push', PUT: 'push', DELETE: 'push' },
};

/** A reference outside of the grammar names nothing; a document can't be stored under it. */
const NO_SUCH_TAG: Partial<Record<string, FailureCode>> = { PUT: 'TAG_INVALID' };

/** The right that a request needs. Errors: `UNSUPPORTED` with the methods there are. */
export function actionOf(route: Route, method: string): Action | 'base' | 'catalog' {
  const actions = ACTIONS[route.kind];
  const action = Object.hasOwn(actions, method) ? actions[method] : undefined;
  if (action === undefined) {
    throw new RegistryFailure('UNSUPPORTED', { headers: ['Allow', Object.keys(actions).join(', ')] });
  }
  return action;
}

/**
 * Reads a path, still encoded, without its query. Decoding happens once and for each part by itself, so that an encoded
 * slash is no slash. Errors: `NAME_INVALID`, `DIGEST_INVALID`, `TAG_INVALID`, and 404 for any other path.
 */
export function parseRoute(path: string, method: string): Route {
  if (path === '/v2/' || path === '/v2') return { kind: 'base' };
  if (!path.startsWith('/v2/') || path.length > 2048) throw noSuchPath();
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  const parts = path.slice(4).split('/');
  if (path.includes('%')) for (const [at, part] of parts.entries()) parts[at] = decoded(part);
  const last = parts.at(-1) ?? '';
  const before = parts.at(-2) ?? '';
  if (before === 'tags' && last === 'list') return { kind: 'tags', repository: nameOf(parts, 2) };
  if (before === 'manifests') {
    const repository = nameOf(parts, 2);
    return { kind: 'manifest', repository, reference: reference(last, method) };
  }
  if (before === 'referrers')
    return { kind: 'referrers', repository: nameOf(parts, 2), digest: digest(last) };
  const uploads = parts.at(-3) === 'blobs' && before === 'uploads';
  if (uploads && last !== '') return { kind: 'upload', repository: nameOf(parts, 3), id: uploadId(last) };
  if (uploads) return { kind: 'uploads', repository: nameOf(parts, 3) };
  if (before === 'blobs' && last === 'uploads') return { kind: 'uploads', repository: nameOf(parts, 2) };
  if (before === 'blobs') return { kind: 'blob', repository: nameOf(parts, 2), digest: digest(last) };
  throw noSuchPath();
}

/** The digest of a query's field. Errors: `DIGEST_INVALID`. */
export function digest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new RegistryFailure('DIGEST_INVALID', {
    message: 'the digest is not one of SHA-256 or SHA-512',
    detail: text.slice(0, 200),
  });
}

/** The name of a repository in a query. Errors: `NAME_INVALID`. */
export function repositoryName(text: string): string {
  if (isRepositoryName(text)) return text;
  throw new RegistryFailure('NAME_INVALID', { detail: { name: text.slice(0, 300) } });
}

function nameOf(parts: readonly string[], tail: number): string {
  return repositoryName(parts.slice(0, -tail).join('/'));
}

function reference(text: string, method: string): string {
  if (text.includes(':')) return digest(text);
  if (isTag(text)) return text;
  throw new RegistryFailure(NO_SUCH_TAG[method] ?? 'MANIFEST_UNKNOWN', {
    detail: { tag: text.slice(0, 200) },
  });
}

function uploadId(text: string): string {
  if (isUploadId(text)) return text;
  throw new RegistryFailure('BLOB_UPLOAD_UNKNOWN');
}

function decoded(part: string): string {
  let text: string;
  try {
    text = decodeURIComponent(part);
  } catch {
    throw noSuchPath();
  }
  if (text.includes('/')) throw new RegistryFailure('NAME_INVALID', { detail: { name: part.slice(0, 300) } });
  return text;
}

function noSuchPath(): RegistryFailure {
  return new RegistryFailure('UNSUPPORTED', { status: 404, message: 'the registry has no such path' });
}
