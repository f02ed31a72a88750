import { boolValue, decodeFilters, parseJson } from '../../api/index.ts';
import { readJsonText } from '../http/body.ts';
import type { Call } from '../http/call.ts';
import { sendEmpty, sendJson } from '../http/respond.ts';
import type { Route } from '../http/route.ts';

/** The built-in networks; making one is refused by the engine until it can. */
export const networkRoutes: readonly Route[] = [
  { method: 'GET', path: '/networks', handler: list },
  { method: 'GET', path: '/networks/{id}', handler: inspect },
  { method: 'POST', path: '/networks/create', handler: create },
  { method: 'POST', path: '/networks/prune', handler: prune },
  { method: 'DELETE', path: '/networks/{id}', handler: remove },
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

async function create(call: Call): Promise<void> {
  const { Name } = parseJson(await readJsonText(call)) as { Name?: unknown };
  await call.backends.networks.create(typeof Name === 'string' ? Name : '');
}

/** Only networks of users are ever pruned, and there are none. */
async function prune(call: Call): Promise<void> {
  sendJson(call, 200, { NetworksDeleted: null });
}

async function remove(call: Call): Promise<void> {
  await call.backends.networks.remove(call.param('id'));
  sendEmpty(call, 204);
}
