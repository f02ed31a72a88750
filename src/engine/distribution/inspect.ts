import type { DistributionInspect, OCIPlatform } from '../../api/index.ts';
import { isKind, WharfError } from '../../base/index.ts';
import {
  type Descriptor,
  type Digest,
  digestOf,
  isIndexType,
  isManifestType,
  MAX_CONFIG_BYTES,
  type Platform,
  parseIndex,
  parseManifest,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../oci/index.ts';
import type { FetchedManifest, RegistryCredentials, Repository } from '../../registry/types.ts';
import { ownRepository } from './own-repository.ts';
import { asReference } from './reference-kind.ts';
import type { DistributionDeps } from './types.ts';

/**
 * `GET /distribution/{name}/json`: what a name stands for at its registry, and for which platforms.
 * Errors: those of `Repository`; `invalid` names.
 */
export async function inspectDistribution(
  deps: Pick<DistributionDeps, 'registries' | 'own'>,
  name: string,
  credentials: RegistryCredentials,
  signal: AbortSignal,
): Promise<DistributionInspect> {
  // The reference's text, and its status 500, for an image id in place of a name.
  if (/^(sha256:)?[0-9a-f]{64}$/.test(name))
    throw new WharfError('internal', 'no manifest found for full image ID');
  const reference = withDefaultTag(parseReference(name));
  return asReference(() => inspectAt(deps, reference, credentials, signal), ['rate-limited']);
}

async function inspectAt(
  deps: Pick<DistributionDeps, 'registries' | 'own'>,
  reference: Reference,
  credentials: RegistryCredentials,
  signal: AbortSignal,
): Promise<DistributionInspect> {
  const { domain, path } = reference;
  const repository =
    (await ownRepository(deps, reference, credentials)) ??
    deps.registries().repository({ domain, path }, { credentials, actions: ['pull'] });
  // As the reference does: by HEAD first, which registries with a rate limit do not count.
  const { digest: wanted } = reference.digest
    ? reference
    : await repository.resolve(reference.tag ?? 'latest', signal);
  const found = await repository.manifest(wanted as Digest, signal);
  const { mediaType, digest, size } = found.descriptor;
  const platforms = await platformsOf(repository, found, signal);
  return {
    Descriptor: { mediaType, digest, size },
    // The wire has null where there is none, though the document's type does not say so.
    Platforms: (platforms.length > 0 ? platforms : null) as OCIPlatform[],
  };
}

async function platformsOf(
  repository: Repository,
  { descriptor, bytes }: FetchedManifest,
  signal: AbortSignal,
): Promise<OCIPlatform[]> {
  const { mediaType } = descriptor;
  if (isIndexType(mediaType)) {
    return parseIndex(bytes, mediaType).manifests.map((entry) => platformDocument(entry.platform ?? {}));
  }
  if (!isManifestType(mediaType)) return [];
  const config = await configOf(repository, parseManifest(bytes, mediaType).config, signal);
  return config && (config.os || config.architecture) ? [platformDocument(config)] : [];
}

/** What an image's config says of its platform; undefined when it can't be read, which leaves the platform open. */
async function configOf(
  repository: Repository,
  config: Descriptor,
  signal: AbortSignal,
): Promise<Partial<Platform> | undefined> {
  if (config.size > MAX_CONFIG_BYTES) return undefined;
  try {
    const bytes = await readBlob(repository, config, signal);
    const document: unknown = bytes && JSON.parse(bytes.toString());
    return typeof document === 'object' && document !== null ? document : undefined;
  } catch (thrown) {
    if (thrown instanceof SyntaxError || isKind(thrown, 'not-found')) return undefined;
    throw thrown;
  }
}

/** A small blob, verified; undefined when it is not what its descriptor says. */
async function readBlob(
  repository: Repository,
  blob: Descriptor,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const { body } = await repository.blob(blob, 0, signal);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > blob.size) return undefined;
    chunks.push(chunk);
  }
  const whole = Buffer.concat(chunks);
  return digestOf(whole) === blob.digest ? whole : undefined;
}

function platformDocument(platform: Partial<Platform>): OCIPlatform {
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const document: OCIPlatform = { architecture: text(platform.architecture), os: text(platform.os) };
  if (platform['os.version']) document['os.version'] = text(platform['os.version']);
  const features = platform['os.features'];
  if (Array.isArray(features) && features.length > 0) document['os.features'] = features.map(text);
  if (platform.variant) document.variant = text(platform.variant);
  return document;
}
