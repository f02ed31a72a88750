import { isKind, WharfError } from '../../base/index.ts';
import { MAX_MANIFEST_BYTES } from '../../oci/index.ts';
import { clean, RegistryError } from './errors.ts';
import { isRepositoryPath } from './names.ts';
import { listField, PAGE, pages, readObject } from './pages.ts';
import type { Session } from './session.ts';
import type { SearchResult } from './types.ts';

/** The names of a registry's repositories. Errors: `invalid` for names that are none, and those of requests. */
export async function* listRepositories(session: Session, signal?: AbortSignal): AsyncGenerator<string> {
  for await (const { document } of pages(session, 'repositories', {
    path: `v2/_catalog?n=${PAGE}`,
    signal,
  })) {
    for (const name of listField(document, 'repositories', 'repositories')) {
      if (typeof name !== 'string' || !isRepositoryPath(name))
        throw new WharfError('invalid', 'the registry lists a repository whose name is none');
      yield name;
    }
  }
}

/** Searches by `/v1/search`, as Docker does, or else in the catalogue. Errors as of `Registries.search`. */
export async function searchRepositories(
  sessions: { search: Session; catalogue?: Session },
  { term, limit }: { term: string; limit: number },
  signal?: AbortSignal,
): Promise<SearchResult[]> {
  const query = new URLSearchParams({ q: term, n: String(limit) });
  try {
    const call = { method: 'GET', path: `v1/search?${query}`, signal };
    const response = await sessions.search.request('search', call);
    const document = readObject(await response.bytes(MAX_MANIFEST_BYTES), 'search');
    return listField(document, 'results', 'search').slice(0, limit).map(readResult);
  } catch (thrown) {
    const { catalogue } = sessions;
    if (!catalogue || !(thrown instanceof RegistryError) || ![404, 405, 400].includes(thrown.status))
      throw thrown;
    return await searchCatalogue(catalogue, term, limit, thrown, signal);
  }
}

async function searchCatalogue(
  session: Session,
  term: string,
  limit: number,
  searchFailure: unknown,
  signal: AbortSignal | undefined,
): Promise<SearchResult[]> {
  const found: SearchResult[] = [];
  const wanted = term.toLowerCase();
  try {
    for await (const name of listRepositories(session, signal)) {
      if (!name.includes(wanted)) continue;
      found.push({ name, description: '', star_count: 0, is_official: false, is_automated: false });
      if (found.length === limit) break;
    }
  } catch (thrown) {
    throw isKind(thrown, 'not-found') || isKind(thrown, 'not-implemented') ? searchFailure : thrown;
  }
  return found;
}

function readResult(entry: unknown): SearchResult {
  const fields = Object(entry) as Record<string, unknown>;
  const text = (field: string) => (typeof fields[field] === 'string' ? clean(fields[field]) : '');
  return {
    name: text('name'),
    description: text('description'),
    star_count: Number.isSafeInteger(fields['star_count']) ? Number(fields['star_count']) : 0,
    is_official: fields['is_official'] === true,
    is_automated: fields['is_automated'] === true,
  };
}
