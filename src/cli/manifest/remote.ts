import { WharfError } from '../../base/index.ts';
import {
  type Descriptor,
  digestOf,
  isIndexType,
  isManifestType,
  MAX_CONFIG_BYTES,
  parseDigest,
  type Reference,
  withDigest,
} from '../../oci/index.ts';
import type { FetchedManifest, Repository } from '../../registry/types.ts';
import type { Context } from '../command.ts';
import { openRegistriesFor } from '../registries.ts';
import { registryCredentials } from '../registry-auth.ts';
import type { EntryPlatform, ManifestEntry } from './entry.ts';

/** The registries as `manifest` and `tags` ask them: with the user's credentials. Dispose it at the end. */
export interface Remote extends Disposable {
  repository(name: Reference, actions: readonly ('pull' | 'push')[]): Promise<Repository>;
}

/** Opens the way to the registries of these names. With `insecure`, plain HTTP and any certificate will do for them. */
export async function openRemote(
  context: Context,
  names: readonly Reference[],
  insecure: boolean,
): Promise<Remote> {
  const registries = await openRegistriesFor(context, insecure ? names.map((each) => each.domain) : []);
  return {
    repository: async (name, actions) =>
      registries.repository(name, { actions, credentials: await registryCredentials(context, name.name) }),
    [Symbol.dispose]: () => registries[Symbol.dispose](),
  };
}

/** An image's manifest, or all of a list. Throws WharfError; `not-found` in the words of Docker's client. */
export async function fetchEntries(
  remote: Remote,
  name: Reference,
): Promise<{ image: ManifestEntry } | { list: ManifestEntry[] }> {
  const repository = await remote.repository(name, ['pull']);
  const found = await fetch(repository, name, name.digest ?? name.tag ?? 'latest');
  if (!isIndexType(found.descriptor.mediaType)) return { image: await describe(repository, name, found) };
  const list: ManifestEntry[] = [];
  for (const { digest, platform } of membersOf(found.bytes)) {
    const of = withDigest(name, digest);
    const member = await describe(repository, of, await fetch(repository, of, digest), false);
    const ref = `${name.name}${name.tag === undefined ? '' : `:${name.tag}`}@${digest}`;
    list.push({ ...member, ref, platform: platform ?? { architecture: '', os: '' } });
  }
  return { list };
}

/** One image's manifest. Throws WharfError `invalid` for a list. */
export async function fetchImage(remote: Remote, name: Reference): Promise<ManifestEntry> {
  const found = await fetchEntries(remote, name);
  if ('image' in found) return found.image;
  throw new WharfError('invalid', `${name.canonical()} is a manifest list`);
}

async function fetch(repository: Repository, name: Reference, reference: string): Promise<FetchedManifest> {
  try {
    return await repository.manifest(reference);
  } catch (thrown) {
    if (thrown instanceof WharfError && thrown.kind === 'not-found')
      throw new WharfError('not-found', `no such manifest: ${name.canonical()}`, { cause: thrown });
    throw thrown;
  }
}

function membersOf(bytes: Buffer): { digest: Descriptor['digest']; platform?: EntryPlatform }[] {
  const { manifests } = JSON.parse(bytes.toString()) as { manifests?: unknown };
  if (!Array.isArray(manifests)) throw new WharfError('invalid', 'the index has no list of manifests');
  return manifests.map((each: { digest?: unknown; platform?: EntryPlatform }) => ({
    digest: parseDigest(String(each.digest)),
    ...(each.platform ? { platform: each.platform } : {}),
  }));
}

async function describe(
  repository: Repository,
  name: Reference,
  { descriptor, bytes }: FetchedManifest,
  readConfig = true,
): Promise<ManifestEntry> {
  const { mediaType, digest, size } = descriptor;
  if (!isManifestType(mediaType))
    throw new WharfError('invalid', `${name.canonical()}: unsupported manifest format: ${mediaType}`);
  const entry = { ref: name.canonical(), mediaType, digest, size, raw: bytes };
  if (!readConfig) return entry;
  const { config } = JSON.parse(bytes.toString()) as { config: Descriptor };
  return { ...entry, platform: platformOf(await readBlob(repository, config)) };
}

async function readBlob(repository: Repository, blob: Descriptor): Promise<Buffer> {
  if (!(blob.size <= MAX_CONFIG_BYTES))
    throw new WharfError('invalid', `the image's configuration is larger than ${MAX_CONFIG_BYTES} bytes`);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (await repository.blob(blob, 0)).body) {
    size += part.length;
    if (size > blob.size) break;
    parts.push(part);
  }
  const bytes = Buffer.concat(parts);
  if (size !== blob.size || digestOf(bytes) !== blob.digest)
    throw new WharfError('corrupt', `image config verification failed for digest ${blob.digest}`);
  return bytes;
}

function platformOf(config: Buffer): EntryPlatform {
  const said = JSON.parse(config.toString()) as Record<string, unknown>;
  const word = (key: string) => (typeof said[key] === 'string' ? said[key] : '');
  const features = said['os.features'];
  return {
    architecture: word('architecture'),
    os: word('os') || 'linux',
    ...(word('os.version') ? { 'os.version': word('os.version') } : {}),
    ...(Array.isArray(features) ? { 'os.features': features.map(String) } : {}),
    ...(word('variant') ? { variant: word('variant') } : {}),
  };
}
