import { WharfError } from '../base/index.ts';
import type { NetworkRecord } from './types.ts';

/** By full id, name or unique id prefix, in this order. Errors: `not-found`, `invalid` when a prefix fits several. */
export function findNetwork(networks: readonly NetworkRecord[], ref: string): NetworkRecord {
  const exact = networks.find(({ id }) => id === ref) ?? networks.find(({ name }) => name === ref);
  if (exact) return exact;
  const matches = ref === '' ? [] : networks.filter(({ id }) => id.startsWith(ref));
  if (matches.length > 1)
    throw new WharfError(
      'invalid',
      `network ${ref} is ambiguous (${matches.length} matches found based on ID prefix)`,
    );
  if (!matches[0]) throw new WharfError('not-found', `network ${ref} not found`);
  return matches[0];
}
