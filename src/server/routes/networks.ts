import {
  boolValue,
  decodeFilters,
  decodeNetworkConnect,
  decodeNetworkCreate,
  decodeNetworkDisconnect,
} from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { readOptionalJsonText } from '../http/body.ts';
import type { Call } from '../http/call.ts';
import { sendEmpty, sendJson } from '../http/respond.ts';
import type { Route } from '../http/route.ts';

/** Networks, and containers joining and leaving them. */
export const networkRoutes: readonly Route[] = [
  { method: 'GET', path: '/networks', handler: list },
  { method: 'GET', path: '/networks/{id}', handler: inspect },
  { method: 'POST', path: '/networks/create', handler: create },
  { method: 'POST', path: '/networks/{id}/connect', handler: connect },
  { method: 'POST', path: '/networks/{id}/disconnect', handler: disconnect },
  { method: 'POST', path: '/networks/prune', handler: prune, minVersion: 25 },
  { method: 'DELETE', path: '/networks/{id}', handler: remove },
];

async function list(call: Call): Promise<void> {
  const { networks } = call.backends;
  const found = await networks.list(decodeFilters(call.query.get('filters')));
  // Until 1.27 lists named the containers.
  const whole = ({ Id = '' }) => networks.inspect(Id, { verbose: false });
  sendJson(call, 200, call.version < 28 ? await Promise.all(found.map(whole)) : found);
}

async function inspect(call: Call): Promise<void> {
  const found = await call.backends.networks.inspect(call.param('id'), {
    verbose: boolValue(call.query.get('verbose')),
    scope: call.query.get('scope') || undefined,
  });
  sendJson(call, 200, found);
}

async function create(call: Call): Promise<void> {
  const request = decodeNetworkCreate(await readOptionalJsonText(call));
  const { id, warning } = await call.backends.networks.create(request);
  sendJson(call, 201, { Id: id, Warning: warning });
}

async function connect(call: Call): Promise<void> {
  const { Container, EndpointConfig } = decodeNetworkConnect(await readOptionalJsonText(call));
  await call.backends.networks.connect(call.param('id'), {
    container: named(Container),
    ...(EndpointConfig ? { settings: EndpointConfig } : {}),
  });
  sendEmpty(call, 200);
}

async function disconnect(call: Call): Promise<void> {
  const { Container, Force } = decodeNetworkDisconnect(await readOptionalJsonText(call));
  await call.backends.networks.disconnect(call.param('id'), {
    container: named(Container),
    force: Force === true,
  });
  sendEmpty(call, 200);
}

function named(container: string | undefined): string {
  if (container) return container;
  throw new WharfError('invalid', 'invalid name or ID supplied: ""');
}

async function prune(call: Call): Promise<void> {
  const { deleted } = await call.backends.networks.prune(decodeFilters(call.query.get('filters')));
  sendJson(call, 200, { NetworksDeleted: deleted.length > 0 ? deleted : null });
}

async function remove(call: Call): Promise<void> {
  await call.backends.networks.remove(call.param('id'));
  sendEmpty(call, 204);
}
