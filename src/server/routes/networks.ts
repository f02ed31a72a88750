import { boolValue, decodeFilters } from '../../api/index.ts';
import type { Call } from '../http/call.ts';
import { sendJson } from '../http/respond.ts';
import type { Route } from '../http/route.ts';

/** Networks, to read. */
export const networkRoutes: readonly Route[] = [
  { method: 'GET', path: '/networks', handler: list },
  { method: 'GET', path: '/networks/{id}', handler: inspect },
];

async function list(call: Call): Promise<void> {
  sendJson(call, 200, await call.backends.networks.list(decodeFilters(call.query.get('filters'))));
}

async function inspect(call: Call): Promise<void> {
  const found = await call.backends.networks.inspect(call.param('id'), {
    verbose: boolValue(call.query.get('verbose')),
    scope: call.query.get('scope') || undefined,
  });
  sendJson(call, 200, found);
}
