import type { Filters } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { NetworkRecord } from '../../network/types.ts';
import { matchesText } from '../filters/index.ts';

type Matcher = (network: NetworkRecord, value: string, context: FilterContext) => boolean;

/** What filters ask beyond the record. */
export interface FilterContext {
  /** True when a container is on the network. */
  inUse(networkId: string): boolean;
}

/** Networks that come with the engine. */
export const BUILTIN: ReadonlySet<string> = new Set(['bridge', 'host', 'none']);

const MATCHERS: Record<string, Matcher> = {
  name: ({ name }, value) => matchesText(value, name),
  id: ({ id }, value) => matchesText(value, id),
  driver: ({ driver }, value) => driver === value,
  scope: (_, value) => value === 'local',
  type: ({ name }, value) => matchesType(name, value),
  label: ({ labels }, value) => matchesLabel(labels, value),
  dangling: (network, value, context) =>
    (!BUILTIN.has(network.name) && !context.inUse(network.id)) === truth(value),
};

/** True when the network fits every key by one of its values. Errors: `invalid` with the Engine's text for unknown keys and values. */
export function matchesFilters(network: NetworkRecord, filters: Filters, context: FilterContext): boolean {
  for (const [key, values] of filters) {
    const matcher = MATCHERS[key];
    if (!matcher) throw new WharfError('invalid', `invalid filter '${key}'`);
    if (key === 'dangling' && values.length > 1)
      throw new WharfError('invalid', 'got more than one value for filter key "dangling"');
    // Labels must all fit; of the others, one.
    const results = values.map((value) => matcher(network, value, context));
    if (values.length > 0 && !(key === 'label' ? results.every(Boolean) : results.some(Boolean)))
      return false;
  }
  return true;
}

function matchesType(name: string, value: string): boolean {
  if (value !== 'custom' && value !== 'builtin')
    // The reference answers 500 here.
    throw new WharfError('internal', `invalid filter: 'type'='${value}'`);
  return BUILTIN.has(name) === (value === 'builtin');
}

function matchesLabel(labels: Record<string, string>, wanted: string): boolean {
  const [key, ...value] = wanted.split('=');
  if (!Object.hasOwn(labels, key ?? '')) return false;
  return value.length === 0 || labels[key ?? ''] === value.join('=');
}

function truth(value: string): boolean {
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  const accepted = 'must be "true" (or "1"), or "false" (or "0")';
  throw new WharfError('invalid', `invalid value for filter 'dangling', ${accepted}`);
}
