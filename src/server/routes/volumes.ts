import { boolValue, decodeFilters, decodeVolumeCreate } from '../../api/index.ts';
import { adaptVolumePrune } from '../compat/index.ts';
import { readOptionalJsonText } from '../http/body.ts';
import type { Call } from '../http/call.ts';
import { sendEmpty, sendJson } from '../http/respond.ts';
import type { Route } from '../http/route.ts';

/** Volumes. */
export const volumeRoutes: readonly Route[] = [
  { method: 'GET', path: '/volumes', handler: list },
  { method: 'POST', path: '/volumes/create', handler: create },
  { method: 'POST', path: '/volumes/prune', handler: prune, minVersion: 25 },
  { method: 'GET', path: '/volumes/{name...}', handler: inspect },
  { method: 'GET', path: '/wharf/volumes/{name...}', handler: inspectUsage },
  { method: 'DELETE', path: '/volumes/{name...}', handler: remove },
];

async function list(call: Call): Promise<void> {
  const { Volumes, Warnings } = await call.backends.volumes.list(decodeFilters(call.query.get('filters')));
  sendJson(call, 200, { Volumes, Warnings: Warnings.length > 0 ? Warnings : null });
}

async function create(call: Call): Promise<void> {
  const options = decodeVolumeCreate(await readOptionalJsonText(call));
  sendJson(call, 201, await call.backends.volumes.create(options));
}

async function inspect(call: Call): Promise<void> {
  sendJson(call, 200, await call.backends.volumes.inspect(call.param('name')));
}

/** Wharf's own: measuring a volume reads all of its folders, which Docker's question must not cost. */
async function inspectUsage(call: Call): Promise<void> {
  sendJson(call, 200, await call.backends.volumes.inspectUsage(call.param('name')));
}

async function remove(call: Call): Promise<void> {
  await call.backends.volumes.remove(call.param('name'), { force: boolValue(call.query.get('force')) });
  sendEmpty(call, 204);
}

async function prune(call: Call): Promise<void> {
  const filters = adaptVolumePrune(call.version, decodeFilters(call.query.get('filters')));
  const done = await call.backends.volumes.prune(filters);
  sendJson(call, 200, {
    VolumesDeleted: done.VolumesDeleted,
    SpaceReclaimed: done.SpaceReclaimed,
  });
}
