import type { Plan } from '../api/index.ts';
import { isKind, WharfError } from '../base/index.ts';
import { type EngineClient, isEngineError, type Query } from './engine-client.ts';

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

async function ask(client: EngineClient, path: string, query: Query): Promise<Plan> {
  try {
    return await client.json('GET', `/wharf/plan/${path}`, { query });
  } catch (thrown) {
    const unknown =
      isEngineError(thrown) && isKind(thrown, 'not-found') && /page not found/.test(thrown.message);
    if (!unknown) throw thrown;
    throw new WharfError(
      'not-implemented',
      'this engine makes no plans: --dry-run needs a Wharf engine of 0.4 or later',
      {
        cause: thrown,
      },
    );
  }
}
