import type { Plan } from '../api/index.ts';
import type { EngineClient, Query } from './engine-client.ts';
import { wharfOnly } from './wharf-only.ts';

/** What a prune can be about. */
export type PruneKind = 'containers' | 'images' | 'volumes' | 'networks' | 'system' | 'builder';
/** What can be removed by name. */
export type RemoveKind = 'containers' | 'images' | 'volumes' | 'networks';

/** GET /wharf/plan/prune/{kind}: what a prune would remove. Wharf's own. Throws as `planRemove`. */
export function planPrune(client: EngineClient, kind: PruneKind, query: Query): Promise<Plan> {
  return ask(client, `prune/${kind}`, query);
}

/**
 * GET /wharf/plan/remove/{kind}: what a removal of these names would remove. Wharf's own. Throws WharfError
 * `not-implemented` for an engine that makes no plans.
 */
export function planRemove(
  client: EngineClient,
  kind: RemoveKind,
  names: readonly string[],
  query: Query,
): Promise<Plan> {
  return ask(client, `remove/${kind}`, { name: names, ...query });
}

function ask(client: EngineClient, path: string, query: Query): Promise<Plan> {
  const answer = client.json<Plan>('GET', `/wharf/plan/${path}`, { query });
  return wharfOnly(answer, 'this engine makes no plans: --dry-run');
}
