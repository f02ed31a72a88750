import { WharfError } from '../../base/index.ts';
import {
  bareMediaType,
  type Descriptor,
  type Digest,
  isIndexType,
  isManifestType,
  isSchema1Type,
  MediaTypes,
  parseManifestOrIndex,
} from '../../oci/index.ts';

/** What a registry must know of a manifest or index. */
export interface DocumentFacts {
  mediaType: string;
  /** As the listing of referrers has it: of a manifest without one, its config's media type. */
  artifactType: string | undefined;
  annotations: Record<string, string> | undefined;
  subject: Digest | undefined;
  /** What must be here, without repeats: blobs of a manifest, entries of an index. */
  references: Digest[];
}

/** Types under which a client may send a document of which it says no more: then its fields tell. */
const UNSPECIFIC = new Set(['', 'application/json', 'application/octet-stream']);

/**
 * Reads a manifest or index that came under the media type. Errors: `invalid` for anything else, for documents that can
 * be read in two ways, and for a media type that contradicts the content (CVE-2021-41190); `not-implemented` for schema 1.
 */
export function readDocument(bytes: Uint8Array, contentType: string): DocumentFacts {
  const claimed = bareMediaType(contentType);
  const known = isManifestType(claimed) || isIndexType(claimed) || isSchema1Type(claimed);
  if (!known && !UNSPECIFIC.has(claimed)) {
    throw new WharfError(
      'invalid',
      `unsupported manifest media type ${JSON.stringify(claimed.slice(0, 200))}`,
    );
  }
  const document = parseManifestOrIndex(bytes, known ? claimed : undefined);
  if (document.kind === 'index') {
    const { index } = document;
    return {
      mediaType: index.mediaType ?? (known ? claimed : MediaTypes.ociIndex),
      artifactType: textOf(index, 'artifactType'),
      annotations: annotationsOf(index),
      subject: subjectOf(index),
      references: distinct(index.manifests),
    };
  }
  const { manifest } = document;
  return {
    mediaType: manifest.mediaType ?? (known ? claimed : MediaTypes.ociManifest),
    artifactType: textOf(manifest, 'artifactType') ?? manifest.config.mediaType,
    annotations: annotationsOf(manifest),
    subject: subjectOf(manifest),
    references: distinct([manifest.config, ...manifest.layers.filter((layer) => !isElsewhere(layer))]),
  };
}

/** Layers whose publisher does not allow to pass them on are never pushed (image-spec "Non-Distributable Layers"). */
function isElsewhere(layer: Descriptor): boolean {
  const foreign =
    layer.mediaType === MediaTypes.dockerForeignLayer || layer.mediaType.includes('.nondistributable.');
  return foreign && (layer.urls?.length ?? 0) > 0;
}

function distinct(descriptors: readonly Descriptor[]): Digest[] {
  return [...new Set(descriptors.map(({ digest }) => digest))];
}

function textOf(document: object, field: string): string | undefined {
  const value = (document as Record<string, unknown>)[field];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function annotationsOf(document: { annotations?: Record<string, string> | null }) {
  return document.annotations ?? undefined;
}

function subjectOf(document: { subject?: Descriptor | null }): Digest | undefined {
  return document.subject?.digest;
}
