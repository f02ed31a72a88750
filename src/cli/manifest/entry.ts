import { WharfError } from '../../base/index.ts';
import { MediaTypes, parseReference, type Reference, withDefaultTag } from '../../oci/index.ts';
import { jsonString } from '../template/index.ts';

/** A platform as manifest lists name it; either word may be empty. */
export interface EntryPlatform {
  architecture: string;
  os: string;
  'os.version'?: string;
  'os.features'?: string[];
  variant?: string;
}

/** An image's manifest as `docker manifest` keeps it: with its name, its platform and its bytes. */
export interface ManifestEntry {
  /** The full name with its tag or digest. */
  ref: string;
  mediaType: string;
  digest: string;
  size: number;
  platform?: EntryPlatform;
  raw: Buffer;
}

/** Normalises what the user named; without tag and digest it is `latest`. Throws WharfError `invalid`. */
export function imageReference(text: string, before = ''): Reference {
  try {
    return withDefaultTag(parseReference(text));
  } catch (thrown) {
    const error = WharfError.from(thrown, 'invalid');
    throw new WharfError('invalid', `${before}${error.message}`, { cause: thrown });
  }
}

/** The JSON of an entry as Docker's client stores and shows it: the manifest once as bytes, and once to be read. */
export function entryJson(entry: ManifestEntry): string {
  const { platform } = entry;
  const place = platform === undefined ? '' : `,"platform":${platformJson(platform)}`;
  const name = entry.mediaType === MediaTypes.ociManifest ? 'OCIManifest' : 'SchemaV2Manifest';
  const descriptor = `{"mediaType":${jsonString(entry.mediaType)},"digest":${jsonString(entry.digest)},"size":${entry.size}${place}}`;
  return `{"Ref":${jsonString(entry.ref)},"Descriptor":${descriptor},"Raw":"${entry.raw.toString('base64')}","${name}":${compact(entry.raw.toString())}}`;
}

/** Reads what `entryJson` wrote, or Docker's client. Throws WharfError `corrupt`. */
export function parseEntry(text: string, file: string): ManifestEntry {
  const wrong = (why: string) => new WharfError('corrupt', `${file}: ${why}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw wrong('not JSON');
  }
  const { Ref, Descriptor: descriptor, Raw } = (parsed ?? {}) as Record<string, unknown>;
  const { mediaType, digest, size, platform } = (descriptor ?? {}) as Record<string, unknown>;
  if (typeof Ref !== 'string' || typeof mediaType !== 'string' || typeof digest !== 'string')
    throw wrong('lacks Ref or Descriptor');
  if (typeof size !== 'number' || typeof Raw !== 'string') throw wrong('lacks the size or the manifest');
  return {
    ref: Ref,
    mediaType,
    digest,
    size,
    ...(typeof platform === 'object' && platform !== null ? { platform: platform as EntryPlatform } : {}),
    raw: Buffer.from(Raw, 'base64'),
  };
}

/** The list of these manifests, byte for byte as Docker's client makes it. An index when the first is an OCI manifest. */
export function listJson(entries: readonly ManifestEntry[]): string {
  const type =
    entries[0]?.mediaType === MediaTypes.ociManifest ? MediaTypes.ociIndex : MediaTypes.dockerIndex;
  const manifests = entries.map(
    (entry) =>
      `{"mediaType":${jsonString(entry.mediaType)},"size":${entry.size},"digest":${jsonString(entry.digest)},"platform":${platformJson(entry.platform)}}`,
  );
  return `{"schemaVersion":2,"mediaType":${jsonString(type)},"manifests":[${manifests.join(',')}]}`;
}

/** Fields in the order of Go's struct, whatever the order they came in. */
function platformJson(platform: EntryPlatform = { architecture: '', os: '' }): string {
  const features = platform['os.features'] ?? [];
  return `{${[
    `"architecture":${jsonString(platform.architecture ?? '')}`,
    `"os":${jsonString(platform.os ?? '')}`,
    ...(platform['os.version'] ? [`"os.version":${jsonString(platform['os.version'])}`] : []),
    ...(features.length > 0 ? [`"os.features":[${features.map(jsonString).join(',')}]`] : []),
    ...(platform.variant ? [`"variant":${jsonString(platform.variant)}`] : []),
  ].join(',')}}`;
}

/** JSON without blanks between its words, and what could be HTML escaped, as Go's encoder passes foreign JSON on. */
function compact(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|\s+/g, (part) =>
    part[0] === '"'
      ? part.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
      : '',
  );
}
