import { isKind } from '../../base/index.ts';
import { isIndexType, isManifestType } from '../../oci/index.ts';
import { type BlobPush, pushBlobs } from './push-blobs.ts';
import type { PlannedManifest, PushPlan } from './push-plan.ts';

/** Brings all that a document names, the document itself excepted. */
export async function pushBelow(
  push: BlobPush,
  { blobs, manifests }: Pick<PushPlan, 'blobs' | 'manifests'>,
  signal: AbortSignal,
): Promise<void> {
  await pushBlobs(push, blobs, signal);
  for (const manifest of manifests) await pushEntry(push, manifest, signal);
}

/** An entry of an index of a type that the registry does not take as a document goes as a blob. */
async function pushEntry(
  push: BlobPush,
  { descriptor, bytes }: PlannedManifest,
  signal: AbortSignal,
): Promise<void> {
  const { mediaType, digest } = descriptor;
  try {
    await push.repository.putManifest(bytes, mediaType, digest, signal);
  } catch (thrown) {
    const known = isManifestType(mediaType) || isIndexType(mediaType);
    if (known || !(isKind(thrown, 'invalid') || isKind(thrown, 'not-implemented'))) throw thrown;
    await pushBlobs(push, [{ descriptor, shown: undefined }], signal);
  }
}
