import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type AuthConfig,
  boolValue,
  boolValueOr,
  decodeAuth,
  decodeFilters,
  decodePlatform,
  intValue,
} from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { parsePlatform } from '../../oci/index.ts';
import { adapt } from '../compat/index.ts';
import type { Call } from '../http/call.ts';
import { sendEmpty, sendJson, startStream } from '../http/respond.ts';
import type { Route } from '../http/route.ts';
import { sendProgress } from '../streams/json-lines.ts';

/** Images. */
export const imageRoutes: readonly Route[] = [
  { method: 'GET', path: '/images/json', handler: list },
  { method: 'GET', path: '/images/search', handler: search },
  { method: 'POST', path: '/images/create', handler: create },
  { method: 'POST', path: '/images/load', handler: load },
  { method: 'POST', path: '/images/prune', handler: prune, minVersion: 25 },
  { method: 'GET', path: '/images/get', handler: (call) => save(call, call.query.getAll('names')) },
  { method: 'GET', path: '/images/{name...}/get', handler: (call) => save(call, [call.param('name')]) },
  { method: 'GET', path: '/images/{name...}/json', handler: inspect },
  { method: 'GET', path: '/images/{name...}/history', handler: history },
  { method: 'POST', path: '/images/{name...}/tag', handler: tag },
  { method: 'POST', path: '/images/{name...}/push', handler: push },
  { method: 'GET', path: '/distribution/{name...}/json', handler: distribution, minVersion: 30 },
  { method: 'DELETE', path: '/images/{name...}', handler: remove },
];

async function list(call: Call): Promise<void> {
  const { query } = call;
  const found = await call.backends.images.list({
    all: boolValue(query.get('all')),
    digests: boolValue(query.get('digests')),
    sharedSize: call.version >= 42 && boolValue(query.get('shared-size')),
    manifests: call.version >= 47 && boolValue(query.get('manifests')),
    filters: decodeFilters(query.get('filters')),
  });
  sendJson(
    call,
    200,
    found.map((image) => adapt('image-summary', call.version, image)),
  );
}

async function create(call: Call): Promise<void> {
  const { query, signal } = call;
  const { images } = call.backends;
  const platform = platformParameter(query.get('platform'));
  const image = query.get('fromImage');
  if (image) {
    const tag = query.get('tag') ?? '';
    const input = {
      image,
      tag,
      platform,
      auth: registryAuth(call),
      allTags: tag === '' && !/[:@][^/]*$/.test(image),
      allPlatforms: boolValue(query.get('allPlatforms')),
    };
    await sendProgress(call, images.pull(input, signal));
    return;
  }
  const source = query.get('fromSrc');
  if (!source) throw new WharfError('invalid', 'either fromImage or fromSrc must be given');
  const options = {
    repo: query.get('repo') ?? '',
    tag: query.get('tag') ?? '',
    message: query.get('message') ?? '',
    changes: query.getAll('changes'),
    platform,
  };
  await sendProgress(call, images.import(source === '-' ? call.request : source, options, signal));
}

/** `os/arch/variant`, as this call alone writes it. Of ARM's 64 bits the variant is kept when it is said: imports record it. */
function platformParameter(text: string | null) {
  if (!text) return undefined;
  if (text.startsWith('{')) return decodePlatform(text);
  const platform = parsePlatform(text);
  return platform.architecture === 'arm64' && text.split('/').length === 3
    ? { variant: 'v8', ...platform }
    : platform;
}

async function push(call: Call): Promise<void> {
  const { query, signal } = call;
  const platform = call.version >= 46 ? decodePlatform(query.get('platform')) : undefined;
  const input = {
    name: call.param('name'),
    tag: query.get('tag') ?? '',
    platform,
    auth: registryAuth(call),
  };
  await sendProgress(call, call.backends.images.push(input, signal));
}

async function distribution(call: Call): Promise<void> {
  const { images } = call.backends;
  sendJson(call, 200, await images.distribution(call.param('name'), registryAuth(call), call.signal));
}

async function search(call: Call): Promise<void> {
  const { query, signal } = call;
  const input = {
    term: query.get('term') ?? '',
    limit: intValue(query.get('limit'), 'invalid limit specified: strconv.Atoi') ?? 0,
    filters: decodeFilters(query.get('filters')),
    auth: registryAuth(call),
  };
  sendJson(call, 200, await call.backends.images.search(input, signal));
}

/** Credentials of the base64url header; none when it is absent or unreadable, as in Docker. Never logged. */
function registryAuth(call: Call): AuthConfig {
  const header = call.request.headers['x-registry-auth'];
  if (typeof header !== 'string' || header === '') return {};
  try {
    return decodeAuth(Buffer.from(header, 'base64url').toString('utf8'));
  } catch {
    return {};
  }
}

async function load(call: Call): Promise<void> {
  const options = {
    quiet: boolValueOr(call.query.get('quiet'), true),
    platform: call.version >= 48 ? decodePlatform(call.query.get('platform')) : undefined,
  };
  await sendProgress(call, call.backends.images.load(call.request, options, call.signal));
}

async function save(call: Call, names: string[]): Promise<void> {
  const platform = call.version >= 48 ? decodePlatform(call.query.get('platform')) : undefined;
  const archive = await call.backends.images.save(names, { platform }, call.signal);
  startStream(call, 'application/x-tar');
  try {
    await pipeline(archive, call.response);
  } catch (thrown) {
    if (!call.signal.aborted) throw thrown;
  } finally {
    if (archive instanceof Readable) archive.destroy();
  }
}

async function inspect(call: Call): Promise<void> {
  const platform = call.version >= 49 ? decodePlatform(call.query.get('platform')) : undefined;
  const manifests = call.version >= 48 && boolValue(call.query.get('manifests'));
  if (platform && manifests) {
    throw new WharfError('invalid', 'conflicting options: manifests and platform options cannot both be set');
  }
  const image = await call.backends.images.inspect(call.param('name'), { platform, manifests });
  sendJson(call, 200, adapt('image', call.version, image));
}

async function history(call: Call): Promise<void> {
  const platform = call.version >= 48 ? decodePlatform(call.query.get('platform')) : undefined;
  sendJson(call, 200, await call.backends.images.history(call.param('name'), platform));
}

async function tag(call: Call): Promise<void> {
  const target = { repo: call.query.get('repo') ?? '', tag: call.query.get('tag') ?? '' };
  await call.backends.images.tag(call.param('name'), target);
  sendEmpty(call, 201);
}

async function remove(call: Call): Promise<void> {
  const platforms = call.version >= 50 ? call.query.getAll('platforms') : [];
  const items = await call.backends.images.remove(call.param('name'), {
    force: boolValue(call.query.get('force')),
    noPrune: boolValue(call.query.get('noprune')),
    platforms: platforms.flatMap((text) => decodePlatform(text) ?? []),
  });
  sendJson(call, 200, items);
}

async function prune(call: Call): Promise<void> {
  const done = await call.backends.images.prune(decodeFilters(call.query.get('filters')));
  sendJson(call, 200, {
    ImagesDeleted: done.deleted.length > 0 ? done.deleted : null,
    SpaceReclaimed: done.spaceReclaimed,
  });
}
