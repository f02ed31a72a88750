import { WharfError } from '../base/index.ts';

/** `filters` of a request, decoded: each key with its accepted values. Both of the wire's forms (`{"k":["v"]}`, `{"k":{"v":true}}`) give this. */
export type Filters = ReadonlyMap<string, readonly string[]>;

const NONE: Filters = new Map();

/** Decodes the `filters` query parameter; empty when it is absent. `invalid` with Docker's text when it is malformed. */
export function decodeFilters(text: string | null | undefined): Filters {
  if (text === undefined || text === null || text === '') return NONE;
  let decoded: unknown;
  try {
    decoded = JSON.parse(text);
  } catch (cause) {
    throw new WharfError('invalid', 'invalid filter', { cause });
  }
  if (decoded === null) return NONE;
  if (typeof decoded !== 'object' || Array.isArray(decoded))
    throw new WharfError('invalid', 'invalid filter');
  const filters = new Map<string, string[]>();
  for (const [key, values] of Object.entries(decoded)) filters.set(key, filterValues(values));
  return filters;
}

function filterValues(values: unknown): string[] {
  if (values === null) return [];
  if (Array.isArray(values) && values.every((value) => typeof value === 'string')) return values;
  if (typeof values !== 'object' || Array.isArray(values)) throw new WharfError('invalid', 'invalid filter');
  const entries = Object.entries(values);
  if (!entries.every(([, on]) => typeof on === 'boolean')) throw new WharfError('invalid', 'invalid filter');
  return entries.map(([value]) => value);
}

/** Refuses a key that the endpoint does not know, as `invalid filter 'x'`. */
export function checkFilterKeys(filters: Filters, accepted: readonly string[]): void {
  for (const key of filters.keys()) {
    if (!accepted.includes(key)) throw new WharfError('invalid', `invalid filter '${key}'`);
  }
}
