import { WharfError } from '../../base/index.ts';
import type { Lease } from '../../content/index.ts';
import {
  type Digest,
  formatPlatform,
  hostPlatform,
  isDigest,
  matchPlatform,
  type Reference,
  withTag,
} from '../../oci/index.ts';
import type { Repository } from '../../registry/types.ts';
import { type ImageRecord, type Report, reportLines, takeIn } from '../images/index.ts';
import type { FetchWatcher } from './fetch.ts';
import { ownRepository } from './own-repository.ts';
import { PullDocuments } from './pull-documents.ts';
import { refusedReference } from './pull-failures.ts';
import { pullOne } from './pull-one.ts';
import { pullReference } from './pull-reference.ts';
import type { PullSession } from './pull-session.ts';
import type { DistributionDeps, ProgressLine, PullInput } from './types.ts';

/**
 * Brings an image, or all of a repository, from its registry. Errors before the first line are thrown, with Docker's
 * texts: `invalid` reference, `not-found`, `unauthorized`, `internal` for a registry that can't be reached; a later one is
 * the last line. When it ends well the image is on disk and its names are recorded.
 */
export async function* pullImage(
  deps: DistributionDeps,
  input: PullInput,
  signal: AbortSignal,
): AsyncIterable<ProgressLine> {
  const reference = pullReference(input);
  let begun = false;
  try {
    const lines = reportLines((report) =>
      takeIn(deps, (lease) => pullReferences(deps, input, reference, { lease, report, signal })),
    );
    for await (const line of lines) {
      begun = true;
      yield line;
    }
  } catch (thrown) {
    if (!begun || signal.aborted) throw thrown;
    const { message } = WharfError.from(thrown);
    yield { errorDetail: { message }, error: message };
  }
}

/** What one call of `pullImage` has. */
interface Pulling {
  lease: Lease;
  report: Report;
  signal: AbortSignal;
}

async function pullReferences(
  deps: DistributionDeps,
  input: PullInput,
  reference: Reference,
  pulling: Pulling,
): Promise<void> {
  const session = await openSession(deps, input, reference, pulling);
  const all = reference.tag === undefined && reference.digest === undefined;
  const references = all ? await allTags(session, reference) : [reference];
  let changed = false;
  let image: ImageRecord | undefined;
  try {
    for (const one of references) {
      const pulled = await pullOne(session, one);
      changed ||= pulled.changed;
      image = pulled.image;
    }
  } finally {
    // Also after a failure: what is still written must find its lease.
    await session.documents.written().catch(() => {});
  }
  const name = reference.familiar();
  pulling.report({
    status: `Status: ${changed ? 'Downloaded newer image' : 'Image is up to date'} for ${name}`,
  });
  if (input.platform && image && !matchPlatform(input.platform, image.platform)) {
    const platforms = `its platform (${formatPlatform(image.platform)}) does not match the specified platform (${formatPlatform(input.platform)})`;
    pulling.report({ status: `WARNING: image with reference ${name} was found but ${platforms}` });
  }
  const attributes = { ...(all ? {} : image?.labels), name: reference.familiarName };
  deps.events.publish({ type: 'image', action: 'pull', id: name, attributes });
}

async function allTags({ repository, signal }: PullSession, reference: Reference): Promise<Reference[]> {
  const references: Reference[] = [];
  try {
    for await (const tag of repository.tags(signal)) references.push(withTag(reference, tag));
  } catch (thrown) {
    throw refusedReference(thrown, reference);
  }
  return references;
}

async function openSession(
  deps: DistributionDeps,
  input: PullInput,
  reference: Reference,
  pulling: Pulling,
): Promise<PullSession> {
  const watchers = new Map<Digest, FetchWatcher>();
  const repository = await openRepository(deps, input, reference, watchers);
  const { lease, signal } = pulling;
  return {
    ...pulling,
    deps,
    repository,
    documents: new PullDocuments(deps, repository, lease, signal),
    platform: input.platform ?? hostPlatform(),
    allPlatforms: input.allPlatforms,
    fetch(blob, watcher, either, options) {
      watchers.set(blob.digest, watcher);
      return deps.fetcher.fetch({ blob, repository, place: reference.name, ...options }, watcher, either);
    },
  };
}

async function openRepository(
  deps: DistributionDeps,
  { credentials }: PullInput,
  reference: Reference,
  watchers: Map<Digest, FetchWatcher>,
): Promise<Repository> {
  const own = ownRepository(deps, reference, credentials);
  if (own) return own;
  const { domain, path } = reference;
  return deps.registries().repository(
    { domain, path },
    {
      credentials,
      actions: ['pull'],
      onRetry({ what, waitMs }) {
        const digest = what.split(' ').find(isDigest);
        if (digest) watchers.get(digest)?.retrying?.(Math.ceil(waitMs / 1000));
      },
    },
  );
}
