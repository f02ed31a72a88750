import { WharfError } from '../base/index.ts';
import { isDigest } from './digest.ts';
import {
  array,
  boolean,
  integer,
  type JsonObject,
  object,
  objectMap,
  optional,
  parseJsonObject,
  refuse,
  string,
  stringMap,
  strings,
} from './json-fields.ts';
import { bareMediaType, isIndexType, isManifestType, isSchema1Type } from './media-types.ts';
import type { Descriptor, Digest, ImageConfigFile, Index, Manifest } from './types.ts';

/** Largest manifest or index that is read, in bytes: the limit registries keep, too. */
export const MAX_MANIFEST_BYTES = 4 << 20;
/** Largest image config that is read, in bytes. */
export const MAX_CONFIG_BYTES = 8 << 20;
const MAX_LAYERS = 1000;
const MAX_MANIFESTS = 10_000;
const MAX_HISTORY = 10_000;

/**
 * Reads an image manifest (OCI or Docker schema 2) from untrusted bytes; unknown fields are kept. `claimed` is the media
 * type under which it came, of a Content-Type or a descriptor. Errors: `invalid`; `not-implemented` for schema 1.
 */
export function parseManifest(bytes: Uint8Array, claimed?: string): Manifest {
  const document = versioned(bytes, 'manifest', claimed, isManifestType);
  if (!('layers' in document) || !('config' in document)) refuse('manifest', 'config and layers are needed');
  descriptor(document['config'], 'manifest.config');
  for (const layer of array(document['layers'], 'manifest.layers', MAX_LAYERS))
    descriptor(layer, 'manifest.layers');
  return document as unknown as Manifest;
}

/** Reads an image index or manifest list from untrusted bytes, as `parseManifest` does. */
export function parseIndex(bytes: Uint8Array, claimed?: string): Index {
  const document = versioned(bytes, 'index', claimed, isIndexType);
  if (!('manifests' in document)) refuse('index', 'manifests is needed');
  for (const entry of array(document['manifests'], 'index.manifests', MAX_MANIFESTS)) {
    optional(descriptor(entry, 'index.manifests'), 'platform', 'index.manifests', platform);
  }
  return document as unknown as Index;
}

/** Reads an image config from untrusted bytes; unknown fields are kept. Errors: `invalid`. */
export function parseImageConfig(bytes: Uint8Array): ImageConfigFile {
  const document = parseJsonObject(bytes, 'image config', MAX_CONFIG_BYTES);
  const what = 'image config';
  platform(document, what);
  for (const field of ['created', 'author']) optional(document, field, what, text);
  const rootfs = object(document['rootfs'], `${what}.rootfs`);
  if (rootfs['type'] !== 'layers') refuse(`${what}.rootfs`, 'its type must be "layers"');
  // Go writes null for an image without layers.
  if (rootfs['diff_ids'] === null || rootfs['diff_ids'] === undefined) rootfs['diff_ids'] = [];
  for (const diffId of array(rootfs['diff_ids'], `${what}.rootfs.diff_ids`, MAX_LAYERS)) digest(diffId, what);
  optional(document, 'history', what, history);
  optional(document, 'config', what, execution);
  if (document['config'] === null) delete document['config'];
  if (document['history'] === null) delete document['history'];
  return document as unknown as ImageConfigFile;
}

/** Tells by its fields what a document without a trustworthy media type is. Errors: `invalid`, `not-implemented`. */
export function parseManifestOrIndex(
  bytes: Uint8Array,
  claimed?: string,
): { kind: 'manifest'; manifest: Manifest } | { kind: 'index'; index: Index } {
  const document = parseJsonObject(bytes, 'manifest', MAX_MANIFEST_BYTES);
  return 'manifests' in document
    ? { kind: 'index', index: parseIndex(bytes, claimed) }
    : { kind: 'manifest', manifest: parseManifest(bytes, claimed) };
}

function versioned(
  bytes: Uint8Array,
  what: string,
  claimed: string | undefined,
  accepts: (mediaType: string) => boolean,
): JsonObject {
  const document = parseJsonObject(bytes, what, MAX_MANIFEST_BYTES);
  refuseLookalikes(document, what);
  const stated =
    document['mediaType'] === undefined ? undefined : string(document['mediaType'], `${what}.mediaType`);
  const outer = claimed === undefined ? undefined : bareMediaType(claimed);
  if (
    document['schemaVersion'] === 1 ||
    [stated, outer].some((type) => type !== undefined && isSchema1Type(type))
  ) {
    throw new WharfError(
      'not-implemented',
      'Docker Image manifest version 2, schema 1 is not supported: publish the image again in the OCI format or as schema 2',
    );
  }
  if (document['schemaVersion'] !== 2) refuse(what, 'schemaVersion must be 2');
  if ('manifests' in document && ('layers' in document || 'config' in document)) {
    refuse(what, 'it holds the fields of both an index and a manifest');
  }
  if (stated !== undefined && !accepts(stated)) refuse(what, `its mediaType is ${JSON.stringify(stated)}`);
  if (outer !== undefined && !accepts(outer) && isKnown(outer)) refuse(what, `it came as ${outer}`);
  if (stated !== undefined && outer !== undefined && isKnown(outer) && stated !== outer) {
    refuse(what, `its mediaType is ${stated}, and it came as ${outer}`);
  }
  optional(document, 'subject', what, descriptor);
  optional(document, 'annotations', what, stringMap);
  optional(document, 'artifactType', what, text);
  return document;
}

function isKnown(mediaType: string): boolean {
  return isManifestType(mediaType) || isIndexType(mediaType);
}

/** Go decoders match keys without regard to case, so `Layers` beside `manifests` would make two readings of one digest. */
function refuseLookalikes(document: JsonObject, what: string): void {
  for (const key of Object.keys(document)) {
    // Go folds by Unicode: \u017f is an s there, and \u212a a k. Upper case first makes plain letters of both.
    const exact = EXACT_KEYS.get(key.toUpperCase().toLowerCase());
    if (exact !== undefined && exact !== key)
      refuse(what, `the field ${JSON.stringify(key)} must be written ${exact}`);
  }
}

const EXACT_KEYS = new Map(
  ['schemaVersion', 'mediaType', 'manifests', 'layers', 'config', 'subject', 'fsLayers'].map((key) => [
    key.toLowerCase(),
    key,
  ]),
);

function descriptor(value: unknown, what: string): JsonObject {
  const found = object(value, what);
  string(found['mediaType'], `${what}.mediaType`, 256);
  digest(found['digest'], what);
  if (integer(found['size'], `${what}.size`) < 0) refuse(what, 'size must not be negative');
  optional(found, 'annotations', what, stringMap);
  optional(found, 'urls', what, strings);
  optional(found, 'artifactType', what, text);
  return found;
}

function digest(value: unknown, what: string): Digest {
  if (!isDigest(value)) refuse(what, `${JSON.stringify(value)?.slice(0, 200)} is not a digest`);
  return value;
}

function platform(value: unknown, what: string): void {
  const found = object(value, what);
  for (const field of ['os', 'architecture', 'variant', 'os.version']) optional(found, field, what, text);
  optional(found, 'os.features', what, strings);
}

function history(value: unknown, what: string): void {
  for (const entry of array(value, what, MAX_HISTORY)) {
    const line = object(entry, what);
    for (const field of ['created', 'created_by', 'author', 'comment']) optional(line, field, what, longText);
    optional(line, 'empty_layer', what, boolean);
  }
}

function execution(value: unknown, what: string): void {
  const config = object(value, what);
  for (const field of ['User', 'WorkingDir', 'StopSignal']) optional(config, field, what, text);
  for (const field of ['Env', 'Entrypoint', 'Cmd', 'Shell', 'OnBuild'])
    optional(config, field, what, strings);
  for (const field of ['ExposedPorts', 'Volumes']) optional(config, field, what, objectMap);
  optional(config, 'Labels', what, stringMap);
  optional(config, 'StopTimeout', what, integer);
  optional(config, 'ArgsEscaped', what, boolean);
  optional(config, 'Healthcheck', what, healthcheck);
}

function healthcheck(value: unknown, what: string): void {
  const check = object(value, what);
  optional(check, 'Test', what, strings);
  for (const field of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries']) {
    optional(check, field, what, integer);
  }
}

function text(value: unknown, what: string): string {
  return string(value, what);
}

function longText(value: unknown, what: string): string {
  return string(value, what, 1 << 20);
}

/** A descriptor without what its place in an index says of it: annotations, platform, URLs. */
export function bareDescriptor({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
