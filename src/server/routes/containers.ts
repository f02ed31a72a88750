import {
  boolValue,
  decodeContainerCreate,
  decodeContainerUpdate,
  decodeFilters,
  decodePlatform,
  intValue,
  terminalSide,
} from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { adapt, adaptCreate } from '../compat/index.ts';
import { readJsonText } from '../http/body.ts';
import type { Call } from '../http/call.ts';
import { sendEmpty, sendJson } from '../http/respond.ts';
import type { Route } from '../http/route.ts';

/** Containers, without their streams. */
export const containerRoutes: readonly Route[] = [
  { method: 'GET', path: '/containers/json', handler: list },
  { method: 'POST', path: '/containers/create', handler: create },
  { method: 'POST', path: '/containers/prune', handler: prune, minVersion: 25 },
  { method: 'GET', path: '/containers/{id}/json', handler: inspect },
  { method: 'GET', path: '/containers/{id}/top', handler: top },
  { method: 'GET', path: '/containers/{id}/changes', handler: changes },
  { method: 'POST', path: '/containers/{id}/start', handler: start },
  { method: 'POST', path: '/containers/{id}/stop', handler: stop },
  { method: 'POST', path: '/containers/{id}/restart', handler: restart },
  { method: 'POST', path: '/containers/{id}/kill', handler: kill },
  { method: 'POST', path: '/containers/{id}/pause', handler: pause },
  { method: 'POST', path: '/containers/{id}/unpause', handler: unpause },
  { method: 'POST', path: '/containers/{id}/rename', handler: rename },
  { method: 'POST', path: '/containers/{id}/update', handler: update },
  { method: 'POST', path: '/containers/{id}/resize', handler: resize },
  { method: 'DELETE', path: '/containers/{id}', handler: remove },
];

async function list(call: Call): Promise<void> {
  const { query } = call;
  const found = await call.backends.containers.list({
    all: boolValue(query.get('all')),
    limit: intValue(query.get('limit')) ?? 0,
    size: boolValue(query.get('size')),
    filters: decodeFilters(query.get('filters')),
  });
  sendJson(call, 200, found);
}

async function create(call: Call): Promise<void> {
  const request = adaptCreate(call.version, decodeContainerCreate(await readJsonText(call)));
  const name = call.query.get('name') || undefined;
  const platform = call.version >= 41 ? platformOf(call.query.get('platform')) : undefined;
  const made = await call.backends.containers.create({ ...request, name, platform }, call.signal);
  sendJson(call, 201, { Id: made.id, Warnings: made.warnings });
}

/** Here the platform is written `os/arch/variant`, in image calls as JSON; both are taken. */
function platformOf(text: string | null) {
  if (text === null || text === '') return undefined;
  if (text.startsWith('{')) return decodePlatform(text);
  const [os = '', architecture, variant] = text.split('/');
  return { os, architecture, variant };
}

async function inspect(call: Call): Promise<void> {
  const size = boolValue(call.query.get('size'));
  const found = await call.backends.containers.inspect(call.param('id'), { size });
  sendJson(call, 200, adapt('container', call.version, found));
}

async function top(call: Call): Promise<void> {
  const psArgs = call.query.get('ps_args') || '-ef';
  sendJson(call, 200, await call.backends.containers.top(call.param('id'), psArgs));
}

async function changes(call: Call): Promise<void> {
  const found = await call.backends.containers.changes(call.param('id'));
  sendJson(call, 200, found.length > 0 ? found : null);
}

async function start(call: Call): Promise<void> {
  // Starting from nothing instead would lose what the checkpoint holds.
  if (call.query.get('checkpoint')) {
    throw new WharfError(
      'not-implemented',
      'starting from a checkpoint is not supported by this version of Wharf',
    );
  }
  await call.backends.containers.start(call.param('id'), call.signal);
  sendEmpty(call, 204);
}

function stopOptions(call: Call): { signal?: string; timeoutSeconds?: number } {
  return {
    signal: call.version >= 42 ? call.query.get('signal') || undefined : undefined,
    timeoutSeconds: intValue(call.query.get('t')),
  };
}

async function stop(call: Call): Promise<void> {
  await call.backends.containers.stop(call.param('id'), stopOptions(call), call.signal);
  sendEmpty(call, 204);
}

async function restart(call: Call): Promise<void> {
  await call.backends.containers.restart(call.param('id'), stopOptions(call), call.signal);
  sendEmpty(call, 204);
}

async function kill(call: Call): Promise<void> {
  await call.backends.containers.kill(call.param('id'), call.query.get('signal') || 'SIGKILL');
  sendEmpty(call, 204);
}

async function pause(call: Call): Promise<void> {
  await call.backends.containers.pause(call.param('id'));
  sendEmpty(call, 204);
}

async function unpause(call: Call): Promise<void> {
  await call.backends.containers.unpause(call.param('id'));
  sendEmpty(call, 204);
}

async function rename(call: Call): Promise<void> {
  const name = call.query.get('name');
  if (!name) throw new WharfError('invalid', 'Neither old nor new names may be empty');
  await call.backends.containers.rename(call.param('id'), name);
  sendEmpty(call, 204);
}

async function update(call: Call): Promise<void> {
  const change = decodeContainerUpdate(await readJsonText(call));
  const { warnings } = await call.backends.containers.update(call.param('id'), change);
  sendJson(call, 200, { Warnings: warnings.length > 0 ? warnings : null });
}

async function resize(call: Call): Promise<void> {
  await call.backends.containers.resize(call.param('id'), {
    height: terminalSide(call.query.get('h'), 'height'),
    width: terminalSide(call.query.get('w'), 'width'),
  });
  sendEmpty(call, 200);
}

async function remove(call: Call): Promise<void> {
  await call.backends.containers.remove(call.param('id'), {
    volumes: boolValue(call.query.get('v')),
    force: boolValue(call.query.get('force')),
    link: boolValue(call.query.get('link')),
  });
  sendEmpty(call, 204);
}

async function prune(call: Call): Promise<void> {
  const done = await call.backends.containers.prune(decodeFilters(call.query.get('filters')));
  sendJson(call, 200, {
    ContainersDeleted: done.deleted.length > 0 ? done.deleted : null,
    SpaceReclaimed: done.spaceReclaimed,
  });
}
