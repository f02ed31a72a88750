import { isKind, type Logger } from '../../base/index.ts';
import type { Lease } from '../../content/index.ts';
import { type Descriptor, type Digest, parseManifestOrIndex } from '../../oci/index.ts';
import type { ImageStore } from '../images/index.ts';
import { absentBlobs, type BlobPush } from './push-blobs.ts';
import { pushBelow } from './push-documents.ts';
import { type PushPlan, planPush } from './push-plan.ts';

/** What a registry answers that does not take such documents, or what reading one that is damaged comes to. */
const REFUSED = ['not-found', 'invalid', 'not-implemented'] as const;

/** A push, as referrers see it. */
export interface ReferrerPush extends BlobPush {
  deps: { images: Pick<ImageStore, 'index'>; log: Logger };
  lease: Lease;
}

/**
 * Sends what is kept of the referrers of documents that were pushed, by digest, each after its subject: the registry lists
 * them by what they say of their subject, or the repository keeps the list where the registry does not (distribution-spec,
 * "Pushing Manifests with Subject"). What is not here as a whole, or what the registry does not take, stays here: the image
 * is pushed all the same.
 */
export async function pushReferrers(
  push: ReferrerPush,
  target: Digest | undefined,
  pushed: PushPlan,
  signal: AbortSignal,
): Promise<void> {
  const kept = target && push.deps.images.index(target)?.referrers;
  const there = new Set([pushed.root, ...pushed.manifests].map(({ descriptor }) => descriptor.digest));
  for (const referrer of kept ?? []) {
    try {
      if (await pushReferrer(push, referrer, there, signal)) there.add(referrer.digest);
    } catch (thrown) {
      if (!REFUSED.some((kind) => isKind(thrown, kind))) throw thrown;
      push.deps.log.debug('a referrer is not pushed', { digest: referrer.digest, error: thrown });
    }
  }
}

/** False when its subject was not pushed. */
async function pushReferrer(
  push: ReferrerPush,
  referrer: Descriptor,
  there: ReadonlySet<Digest>,
  signal: AbortSignal,
): Promise<boolean> {
  push.lease.add(referrer.digest);
  if (!(await push.content.stat(referrer.digest))) return false;
  const plan = await planPush(push.content, referrer, push.lease);
  const { bytes, descriptor } = plan.root;
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType);
  const { subject } = parsed.kind === 'index' ? parsed.index : parsed.manifest;
  const { blobs, manifests } = plan.lacking;
  if (!subject || !there.has(subject.digest) || manifests.length > 0) return false;
  if ((await absentBlobs(push, blobs, signal)).length > 0) return false;
  await pushBelow(push, plan, signal);
  await push.repository.putManifest(bytes, descriptor.mediaType, descriptor.digest, signal);
  return true;
}
