import { boolValue, decodeFilters } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { PruneKind, RemoveKind } from '../backend/index.ts';
import type { Call } from '../http/call.ts';
import { sendJson } from '../http/respond.ts';
import type { Route } from '../http/route.ts';

/** What destructive commands would do. Paths of their own: a daemon that does not know them answers 404, and deletes nothing. */
export const planRoutes: readonly Route[] = [
  { method: 'GET', path: '/wharf/plan/prune/{kind}', handler: prune },
  { method: 'GET', path: '/wharf/plan/remove/{kind}', handler: remove },
];

const REMOVED: readonly string[] = ['containers', 'images', 'volumes', 'networks'] satisfies RemoveKind[];
const PRUNED: readonly string[] = [...REMOVED, 'system', 'builder'] satisfies (PruneKind | string)[];

async function prune(call: Call): Promise<void> {
  const kind = call.param('kind');
  if (!PRUNED.includes(kind)) throw unknownKind(kind);
  const filters = decodeFilters(call.query.get('filters'));
  const options = { all: boolValue(call.query.get('all')), volumes: boolValue(call.query.get('volumes')) };
  sendJson(call, 200, await call.backends.plans.prune(kind as PruneKind, filters, options));
}

async function remove(call: Call): Promise<void> {
  const kind = call.param('kind');
  if (!REMOVED.includes(kind)) throw unknownKind(kind);
  const names = call.query.getAll('name');
  const options = {
    force: boolValue(call.query.get('force')),
    volumes: boolValue(call.query.get('volumes')),
  };
  sendJson(call, 200, await call.backends.plans.remove(kind as RemoveKind, names, options));
}

function unknownKind(kind: string): WharfError {
  return new WharfError('invalid', `there is no plan for ${JSON.stringify(kind)}`);
}
