import { checkFilterKeys, type Filters } from '../../api/filters.ts';
import { WharfError } from '../../base/index.ts';
import type { SearchResult } from '../../registry/client/types.ts';
import type { RegistryCredentials } from '../../registry/types.ts';
import { asReference } from './reference-kind.ts';
import type { DistributionDeps } from './types.ts';

/** `GET /images/search`. `limit` 0 means the default. */
export interface SearchInput {
  term: string;
  limit: number;
  filters: Filters;
  credentials: RegistryCredentials;
}

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;

/**
 * Searches Docker Hub, or the registry that the term begins with (`host:5000/term`).
 * Errors: `invalid` limit, filters or term, with Docker's texts; those of the registry.
 */
export async function searchImages(
  deps: Pick<DistributionDeps, 'registries'>,
  input: SearchInput,
  signal: AbortSignal,
): Promise<SearchResult[]> {
  const { limit, filters, credentials } = input;
  checkFilterKeys(filters, ['is-automated', 'is-official', 'stars']);
  const automated = truth(filters, 'is-automated');
  const official = truth(filters, 'is-official');
  const stars = leastStars(filters);
  if (limit < 0 || limit > MAX_LIMIT)
    throw new WharfError('invalid', `limit ${limit} is outside the range of [1, ${MAX_LIMIT}]`);
  const { domain, term } = splitTerm(input.term);
  // Nothing is automated any more: the hub gave that up, and the reference says no to every one.
  if (automated === true) return [];
  const query = { term, limit: limit || DEFAULT_LIMIT };
  const found = await asReference(() => deps.registries().search(domain, query, credentials, signal));
  return found
    .filter(
      (result) => (official === undefined || result.is_official === official) && result.star_count >= stars,
    )
    .map((result) => ({
      star_count: result.star_count,
      is_official: result.is_official,
      name: result.name,
      is_automated: false,
      description: result.description,
    }));
}

function truth(filters: Filters, key: string): boolean | undefined {
  const values = filters.get(key) ?? [];
  if (values.length === 0) return undefined;
  const [value = ''] = values;
  if (values.length === 1 && ['1', 'true'].includes(value)) return true;
  if (values.length === 1 && ['0', 'false'].includes(value)) return false;
  throw new WharfError('invalid', `invalid filter '${key}=[${values.join(' ')}]'`);
}

/** Of several, the largest holds. */
function leastStars(filters: Filters): number {
  let least = 0;
  for (const value of filters.get('stars') ?? []) {
    if (!/^[+-]?\d+$/.test(value)) {
      const quoted = JSON.stringify(value);
      throw new WharfError(
        'invalid',
        `invalid filter 'stars=${value}': strconv.Atoi: parsing ${quoted}: invalid syntax`,
      );
    }
    least = Math.max(least, Number(value));
  }
  return least;
}

function splitTerm(text: string): { domain: string; term: string } {
  if (text.includes('://')) {
    const words = `repository name (${text}) should not have a scheme`;
    throw new WharfError('invalid', `invalid repository name: ${words}`);
  }
  const slash = text.indexOf('/');
  const host = slash < 0 ? '' : text.slice(0, slash);
  const named = host.includes('.') || host.includes(':') || host === 'localhost';
  const domain = !named || host === 'index.docker.io' ? 'docker.io' : host;
  const term = named ? text.slice(slash + 1) : text;
  return { domain, term: domain === 'docker.io' ? term.replace(/^library\//, '') : term };
}
