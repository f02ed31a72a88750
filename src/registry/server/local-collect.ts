import type { ContentStore } from '../../content/types.ts';
import type { Digest } from '../../oci/index.ts';
import type { BlobRecord, LocalIndex, ManifestRecord, RepositoryContent } from './local-index.ts';
import type { LocalUploads } from './local-uploads.ts';
import type { GarbageReport } from './types.ts';

/** What the collection of garbage works on. */
export interface CollectDeps {
  content: ContentStore;
  index: LocalIndex;
  uploads: LocalUploads;
  /** Leased by work in progress, here or of others that share the store. */
  leased(key: string): boolean;
  /** Needed by others that share the store. */
  neededElsewhere(digest: Digest): boolean;
  now(): number;
}

/** As `RegistryStorage.collect` has them. */
export interface CollectOptions {
  dryRun: boolean;
  untagged: boolean;
  uploadAgeMs: number;
}

/**
 * Collects garbage beside requests: first the records of what nobody names, in one turn of the event loop, then the bytes
 * of what no record names, each checked in the turn in which it goes. What was brought, mounted or found by a client
 * within `uploadAgeMs` may be about to be named by a manifest and stays, as does all of a repository that is being
 * written to.
 */
export async function collectGarbage(deps: CollectDeps, options: CollectOptions): Promise<GarbageReport> {
  const { content, index, leased, neededElsewhere } = deps;
  const uploads = await deadUploads(deps, options.uploadAgeMs);
  const before = deps.now() - options.uploadAgeMs;
  const manifests: ManifestRecord[] = [];
  const links: BlobRecord[] = [];
  for (const [repository, held] of index.repositories) {
    if (deps.uploads.busyIn(repository)) continue;
    const unnamed = (options.untagged ? untagged(held) : []).filter(
      ({ digest, usedAt }) => usedAt <= before && !leased(digest),
    );
    manifests.push(...unnamed);
    links.push(...unusedLinks(held, unnamed, before).filter(({ digest }) => !leased(digest)));
  }
  if (!options.dryRun) {
    index.remove({ blobs: links, manifests });
    // All are given up in this turn: none may have gone on since it was found idle.
    await Promise.all(
      uploads.map(({ id, repository }) => deps.uploads.cancel(repository, id).catch(() => undefined)),
    );
    for (const { key } of await oldStrays(deps, before)) await content.dropIngest(key).catch(() => undefined);
  }
  const gone = new Map<Digest, number>();
  if (options.dryRun)
    for (const { digest } of [...manifests, ...links]) gone.set(digest, (gone.get(digest) ?? 0) + 1);
  const blobs: GarbageReport['blobs'] = [];
  for await (const blob of content.list()) {
    if (index.countOf(blob.digest) > (gone.get(blob.digest) ?? 0)) continue;
    if (leased(blob.digest) || neededElsewhere(blob.digest)) continue;
    if (options.dryRun || (await content.remove(blob.digest))) blobs.push(blob);
  }
  return {
    blobs,
    manifests: manifests.map(({ repository, digest }) => ({ repository, digest })),
    uploads: uploads.map(({ id, repository, offset }) => ({ id, repository, size: offset })),
    bytes: [...blobs, ...uploads.map(({ offset }) => ({ size: offset }))].reduce(
      (sum, { size }) => sum + size,
      0,
    ),
  };
}

/** Manifests that no tag reaches: not by an index, and not as a referrer of what is reached. */
function untagged(held: RepositoryContent): ManifestRecord[] {
  const reached = new Set<Digest>();
  const ahead = [...new Set(held.tags.values())];
  for (let digest = ahead.pop(); digest !== undefined; digest = ahead.pop()) {
    const manifest = held.manifests.get(digest);
    if (!manifest || reached.has(digest)) continue;
    reached.add(digest);
    ahead.push(...manifest.references, ...(held.referrers.get(digest) ?? []));
  }
  return [...held.manifests.values()].filter(({ digest }) => !reached.has(digest));
}

/** Links of blobs that no manifest but those on their way out names. */
function unusedLinks(
  held: RepositoryContent,
  leaving: readonly ManifestRecord[],
  before: number,
): BlobRecord[] {
  const out = new Set(leaving.map(({ digest }) => digest));
  return [...held.blobs.values()].filter(({ digest, usedAt }) => {
    if (usedAt > before) return false;
    for (const by of held.namedBy.get(digest) ?? []) if (!out.has(by)) return false;
    return true;
  });
}

async function deadUploads({ uploads, now }: CollectDeps, ageMs: number) {
  const all = await uploads.list();
  return all.filter(({ modified, busy }) => modified <= now() - ageMs && !busy);
}

async function oldStrays({ uploads, leased }: CollectDeps, before: number) {
  return (await uploads.strays()).filter(({ key, modified }) => modified <= before && !leased(key));
}
