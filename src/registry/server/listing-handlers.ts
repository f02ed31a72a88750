import { type Descriptor, type Digest, MediaTypes } from '../../oci/index.ts';
import { answer, answerJson, type Call } from './call.ts';
import { MAX_PAGE, nextLink, pageOf } from './paging.ts';

/** Largest page of referrers, in bytes: clients read no larger index. */
const MAX_LIST_BYTES = 3 << 20;

/** GET of a repository's tags (end-8a, end-8b). */
export async function listTags(call: Call, { repository }: { repository: string }): Promise<void> {
  const page = pageOf(call.query, 0);
  const { names, more } = await call.storage.tags(repository, page);
  const path = `/v2/${repository}/tags/list`;
  // A page of nothing leads nowhere.
  const link = more && names.length > 0 ? nextLink(path, { n: String(page.limit), last: names.at(-1) }) : [];
  answerJson(call, { name: repository, tags: names }, link);
}

/** GET of the catalogue: the repositories that the client may pull from. */
export async function listRepositories(call: Call): Promise<void> {
  const { limit, last } = pageOf(call.query, 1);
  const repositories: string[] = [];
  let after = last;
  let more = true;
  while (more && repositories.length <= limit) {
    const page = await call.storage.repositories({
      limit: MAX_PAGE,
      ...(after === undefined ? {} : { last: after }),
    });
    for (const name of page.names) if (call.grant.allows('pull', name)) repositories.push(name);
    more = page.more;
    after = page.names.at(-1);
  }
  const shown = repositories.slice(0, limit);
  const link =
    repositories.length > limit ? nextLink('/v2/_catalog', { n: String(limit), last: shown.at(-1) }) : [];
  answerJson(call, { repositories: shown }, link);
}

/** GET of what refers to a digest, of one type if asked so (end-12a, end-12b). */
export async function listReferrers(
  call: Call,
  { repository, digest }: { repository: string; digest: Digest },
): Promise<void> {
  const { query, storage } = call;
  const { limit, last } = pageOf(query, 1);
  const artifactType = query.get('artifactType') || undefined;
  const all = await storage.referrers(repository, digest, artifactType);
  const from = last === undefined ? 0 : all.findIndex((one) => one.digest > last);
  const manifests = from < 0 ? [] : firstOf(all.slice(from, from + limit));
  const end = manifests.at(-1);
  const link =
    end && end !== all.at(-1)
      ? nextLink(`/v2/${repository}/referrers/${digest}`, {
          artifactType,
          n: String(limit),
          last: end.digest,
        })
      : [];
  const filtered = artifactType === undefined ? [] : ['OCI-Filters-Applied', 'artifactType'];
  const index = { schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests };
  answer(call, 200, ['Content-Type', MediaTypes.ociIndex, ...filtered, ...link], JSON.stringify(index));
}

/** As many as fit into one answer, and one at least. */
function firstOf(descriptors: readonly Descriptor[]): Descriptor[] {
  let bytes = 0;
  const end = descriptors.findIndex((one, at) => {
    bytes += JSON.stringify(one).length;
    return at > 0 && bytes > MAX_LIST_BYTES;
  });
  return end < 0 ? [...descriptors] : descriptors.slice(0, end);
}
