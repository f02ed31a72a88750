import type { Network } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { NetworkDeps } from './deps.ts';
import { networkDocument } from './document.ts';

/** One network by name, id or unique id prefix, with the containers on it. Errors: `not-found`, `invalid` (ambiguous). */
export async function inspectNetwork(
  { networks, store }: Pick<NetworkDeps, 'networks' | 'store'>,
  { ref, scope }: { ref: string; scope?: string },
): Promise<Network> {
  if (scope && scope !== 'local') throw new WharfError('not-found', `network ${ref} not found`);
  return networkDocument(networks.get(ref), networks.sandboxes(), (id) => store.get(id)?.name ?? '');
}
