import { decodeAuth, decodeFilters, intValue, timestamp } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { adapt } from '../compat/index.ts';
import { readJsonText } from '../http/body.ts';
import type { Call } from '../http/call.ts';
import { sendJson } from '../http/respond.ts';
import type { Route } from '../http/route.ts';
import { sendLines } from '../streams/json-lines.ts';

/** Ping, version, info, events, disk usage and credentials. */
export const systemRoutes: readonly Route[] = [
  { method: 'GET', path: '/_ping', handler: ping },
  { method: 'HEAD', path: '/_ping', handler: ping },
  { method: 'GET', path: '/version', handler: (call) => sendJson(call, 200, call.backends.system.version()) },
  { method: 'GET', path: '/info', handler: info },
  { method: 'GET', path: '/events', handler: events },
  { method: 'GET', path: '/system/df', handler: diskUsage },
  { method: 'POST', path: '/build/prune', handler: pruneBuildCache },
  { method: 'POST', path: '/auth', handler: auth },
];

function ping(call: Call): void {
  const { builderVersion, swarm } = call.backends.system.ping();
  const body = call.request.method === 'HEAD' ? '' : 'OK';
  call.response.writeHead(200, [
    ...call.context.baseHeaders,
    'Builder-Version',
    builderVersion,
    'Cache-Control',
    'no-cache, no-store, must-revalidate',
    'Pragma',
    'no-cache',
    'Swarm',
    swarm,
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(body.length),
  ]);
  call.response.end(body);
}

async function info(call: Call): Promise<void> {
  sendJson(call, 200, adapt('info', call.version, await call.backends.system.info()));
}

async function events(call: Call): Promise<void> {
  const since = timestamp(call.query.get('since'));
  const until = timestamp(call.query.get('until'));
  if (since !== undefined && until !== undefined && since > until) {
    throw new WharfError(
      'invalid',
      `\`since\` time (${call.query.get('since')}) cannot be after \`until\` time (${call.query.get('until')})`,
    );
  }
  const filters = decodeFilters(call.query.get('filters'));
  await sendLines(call, call.backends.system.events({ since, until, filters }, call.signal));
}

const DISK_TYPES = new Set(['container', 'image', 'volume', 'build-cache']);

async function diskUsage(call: Call): Promise<void> {
  const types = call.query.getAll('type');
  for (const type of types) {
    if (!DISK_TYPES.has(type)) throw new WharfError('invalid', `unknown object type: ${type}`);
  }
  const usage = await call.backends.system.diskUsage(types);
  sendJson(call, 200, adapt('disk-usage', call.version, usage));
}

const SPACE_LIMITS = ['reserved-space', 'keep-storage', 'max-used-space', 'min-free-space'];

async function pruneBuildCache(call: Call): Promise<void> {
  for (const name of SPACE_LIMITS) {
    const text = call.query.get(name);
    intValue(text, `${name} is in bytes and expects an integer, got ${text}: strconv.Atoi`);
  }
  const filters = decodeFilters(call.query.get('filters'));
  const { deleted, spaceReclaimed } = await call.backends.system.pruneBuildCache(filters);
  sendJson(call, 200, {
    CachesDeleted: deleted.length > 0 ? deleted : null,
    SpaceReclaimed: spaceReclaimed,
  });
}

async function auth(call: Call): Promise<void> {
  const credentials = decodeAuth(await readJsonText(call));
  sendJson(call, 200, await call.backends.system.auth(credentials, call.signal));
}
