import { isKind, WharfError } from '../../base/index.ts';
import type { Lease } from '../../content/index.ts';
import {
  bareDescriptor,
  type Descriptor,
  formatPlatform,
  isIndexType,
  isManifestType,
  MAX_MANIFEST_BYTES,
  matchPlatform,
  type Platform,
  parseIndex,
  parseReference,
  type Reference,
  withTag,
} from '../../oci/index.ts';
import type { RegistryCredentials, Repository } from '../../registry/types.ts';
import { type ImageName, type ImageRecord, type Report, reportLines, takeIn } from '../images/index.ts';
import { ownRepository } from './own-repository.ts';
import { absentBlobs, type BlobPush } from './push-blobs.ts';
import { pushBelow } from './push-documents.ts';
import { type PushPlan, planPush } from './push-plan.ts';
import { pushReferrers } from './push-referrers.ts';
import { blobSources } from './push-sources.ts';
import { type PushTarget, pushTarget } from './push-target.ts';
import type { DistributionDeps, ProgressLine, PushInput } from './types.ts';

/** A tag to push, and what it stands for here. */
interface Tagged {
  reference: Reference;
  tag: string;
  entry: ImageName;
  image: ImageRecord;
}

/** A push under way. */
interface Pushing extends BlobPush {
  deps: DistributionDeps;
  lease: Lease;
  platform: Platform | undefined;
  signal: AbortSignal;
}

/**
 * `POST /images/{name}/push`: brings a tag, or all tags of a repository, to its registry. Errors before the first line:
 * `invalid` names, `not-found` for another platform than asked for. Any later failure is the last line.
 */
export async function* pushImage(
  deps: DistributionDeps,
  input: PushInput,
  signal: AbortSignal,
): AsyncIterable<ProgressLine> {
  const parsed = parseReference(input.name);
  const reference = input.tag ? withTag(parsed, input.tag) : parsed;
  checkPlatform(deps, reference, input.platform);
  yield { status: `The push refers to repository [${reference.name}]` };
  try {
    yield* reportLines((report) => push(deps, reference, input, report, signal));
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    // The reference leaves out what was asked for when it had nothing to show.
    const message = WharfError.from(thrown).message.replace(/^\w+ "[^"]*": (?=no basic auth)/, '');
    yield { errorDetail: { message }, error: message };
  }
}

/** An image that came without an index has one platform, and another one can't be asked for. */
function checkPlatform(deps: DistributionDeps, reference: Reference, platform: Platform | undefined): void {
  if (!platform || reference.tag === undefined) return;
  const entry = deps.images.name(`${reference.name}:${reference.tag}`);
  const image = entry && deps.images.get(entry.imageId);
  if (!entry || !image || (entry.target && isIndexType(entry.target.mediaType))) return;
  if (!matchPlatform(platform, image.platform)) throw otherPlatform(reference, image, platform);
}

function otherPlatform(reference: Reference, image: ImageRecord, platform: Platform): WharfError {
  const texts = [image.platform, platform].map(formatPlatform);
  return new WharfError(
    'not-found',
    `image with reference ${reference.familiar()} was found but its platform (${texts[0]}) does not match the specified platform (${texts[1]})`,
  );
}

async function push(
  deps: DistributionDeps,
  reference: Reference,
  input: PushInput,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const tags = tagsToPush(deps, reference);
  const repository = await openRepository(deps, reference, input.credentials);
  await takeIn(deps, async (lease) => {
    const pushing: Pushing = {
      deps,
      content: deps.content,
      uploads: deps.uploads,
      domain: reference.domain,
      repository,
      sources: blobSources(deps.images, reference),
      there: new Set(),
      limit: deps.limits.uploads(),
      lease,
      platform: input.platform,
      report,
      signal,
    };
    for (const tagged of tags) await pushTag(pushing, tagged);
  });
  deps.events.publish({
    type: 'image',
    action: 'push',
    id: reference.familiar(),
    attributes: { ...deps.images.find(reference.canonical())?.labels, name: reference.familiarName },
  });
}

/** Errors: with Docker's texts when the repository or the tag is not here. */
function tagsToPush(deps: DistributionDeps, reference: Reference): Tagged[] {
  if (reference.digest) throw new WharfError('invalid', 'cannot push a digest reference');
  const { name } = reference;
  const own = deps.images
    .names()
    .filter((entry) => entry.name.startsWith(`${name}:`) || entry.name.startsWith(`${name}@`));
  if (own.length === 0) {
    throw new WharfError(
      'not-found',
      `An image does not exist locally with the tag: ${reference.familiarName}`,
    );
  }
  const tags = own
    .filter((entry) => entry.name[name.length] === ':')
    .flatMap((entry): Tagged[] => {
      const tag = entry.name.slice(name.length + 1);
      const image = deps.images.get(entry.imageId);
      const wanted = reference.tag === undefined || reference.tag === tag;
      return image && wanted ? [{ reference: withTag(reference, tag), tag, entry, image }] : [];
    })
    .sort((a, b) => (a.tag < b.tag ? -1 : 1));
  if (tags.length === 0 && reference.tag !== undefined)
    throw new WharfError('not-found', `tag does not exist: ${reference.familiar()}`);
  return tags;
}

async function openRepository(
  deps: DistributionDeps,
  reference: Reference,
  credentials: RegistryCredentials,
): Promise<Repository> {
  const own = ownRepository(deps, reference, credentials);
  if (own) return own;
  const { domain, path } = reference;
  return deps.registries().repository({ domain, path }, { credentials, actions: ['pull', 'push'] });
}

async function pushTag(pushing: Pushing, tagged: Tagged): Promise<void> {
  const { image, entry, reference } = tagged;
  pushing.lease.add(image.config.digest, image.manifest.digest);
  pushing.lease.add(...image.layers.map(({ blob }) => blob.digest));
  const target = await pushTarget(pushing, image, entry.target);
  const root = pushing.platform ? await manifestFor(pushing, tagged, target, pushing.platform) : target.whole;
  let absent = await pushFrom(pushing, tagged, root);
  for (const single of distinct([target.own, image.manifest])) {
    if (!absent || single.digest === root.digest) continue;
    absent = await pushFrom(pushing, tagged, single);
    if (absent || !isIndexType(root.mediaType)) continue;
    // A note of the reference's: the client says by it which single image went in place of the index.
    const instead = { originalIndex: bareDescriptor(root), selectedManifest: bareDescriptor(single) };
    pushing.report({ progressDetail: {}, aux: { manifestPushedInsteadOfIndex: true, ...instead } });
  }
  if (absent)
    throw new WharfError('not-found', `content of ${reference.familiar()} is not here: ${absent.digest}`);
}

/** Pushes what a descriptor names, unless something of it is neither here nor there: that is returned then. */
async function pushFrom(pushing: Pushing, tagged: Tagged, root: Descriptor): Promise<Descriptor | undefined> {
  pushing.lease.add(root.digest);
  if (!(await pushing.content.stat(root.digest))) return root;
  const plan = await planPush(pushing.content, root, pushing.lease);
  const absent = await firstAbsent(pushing, plan);
  if (!absent) await pushPlan(pushing, tagged, plan);
  return absent;
}

/** The manifest of one platform. Errors: `not-found` when it is not here. */
async function manifestFor(
  pushing: Pushing,
  { image, reference }: Tagged,
  { whole, own }: PushTarget,
  platform: Platform,
): Promise<Descriptor> {
  if (matchPlatform(platform, image.platform)) return own;
  if (!isIndexType(whole.mediaType)) throw otherPlatform(reference, image, platform);
  const index = parseIndex(await pushing.content.read(whole.digest, MAX_MANIFEST_BYTES), whole.mediaType);
  for (const entry of index.manifests) {
    if (!entry.platform || !matchPlatform(platform, entry.platform)) continue;
    pushing.lease.add(entry.digest);
    if (isManifestType(entry.mediaType) && (await pushing.content.stat(entry.digest))) return entry;
  }
  throw otherPlatform(reference, image, platform);
}

/** Something that is neither here nor there, so that the push can't be made; undefined when there is no such thing. */
async function firstAbsent(pushing: Pushing, { lacking }: PushPlan): Promise<Descriptor | undefined> {
  const { repository, signal } = pushing;
  for (const manifest of lacking.manifests) {
    try {
      await repository.resolve(manifest.digest, signal);
    } catch (thrown) {
      if (isKind(thrown, 'not-found')) return manifest;
      throw thrown;
    }
  }
  return (await absentBlobs(pushing, lacking.blobs, signal))[0];
}

async function pushPlan(pushing: Pushing, tagged: Tagged, plan: PushPlan): Promise<void> {
  const { deps, repository, report, signal } = pushing;
  const { tag, reference, image } = tagged;
  await pushBelow(pushing, plan, signal);
  const { descriptor, bytes } = plan.root;
  const { digest, size } = descriptor;
  const stored = await repository.putManifest(bytes, descriptor.mediaType, tag, signal);
  if (stored !== digest)
    throw new WharfError('corrupt', `the registry stored ${stored} where ${digest} was pushed`);
  await pushReferrers(pushing, tagged.entry.target?.digest, plan, signal);
  const name = `${reference.name}@${digest}`;
  // The image may be gone by now; what was pushed holds all the same. Another platform's manifest is no name of this image.
  const { whole } = await pushTarget(pushing, image, descriptor);
  if (whole.digest === digest && deps.images.get(image.id) && !deps.images.named(name))
    deps.images.setName(name, image.id, bareDescriptor(descriptor));
  report({ status: `${tag}: digest: ${digest} size: ${size}` });
  report({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: size } });
}

function distinct(descriptors: Descriptor[]): Descriptor[] {
  return [...new Map(descriptors.map((one) => [one.digest, one])).values()];
}
