import { RegistryFailure } from './failure.ts';

/** Most entries of one page, whatever is asked for (CVE-2023-2253). */
export const MAX_PAGE = 1000;

/** The page that a query asks for. Errors: `PAGINATION_NUMBER_INVALID` unless `n` is a whole number from `least` on. */
export function pageOf(query: URLSearchParams, least: 0 | 1): { limit: number; last?: string } {
  const asked = query.get('n');
  const last = query.get('last');
  let limit = MAX_PAGE;
  if (asked !== null && asked !== '') {
    if (!/^\d{1,15}$/.test(asked) || Number(asked) < least) {
      throw new RegistryFailure('PAGINATION_NUMBER_INVALID', { detail: { n: asked.slice(0, 40) } });
    }
    limit = Math.min(Number(asked), MAX_PAGE);
  }
  return { limit, ...(last === null || last === '' ? {} : { last }) };
}

/** The header that leads to the next page (RFC 5988), or none. */
export function nextLink(path: string, query: Record<string, string | undefined>): string[] {
  const fields = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return ['Link', `<${path}?${fields.join('&')}>; rel="next"`];
}
