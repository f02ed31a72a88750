import type { IncomingMessage } from 'node:http';
import type { HistoryRow, ImageRow, PruneReport } from './documents.ts';
import type { EngineClient, Query } from './engine-client.ts';

/** `{}` in base64. */
const NOBODY = 'e30=';

/** The path of an image; slashes of its name stay. */
function at(name: string, rest = ''): string {
  return `/images/${name.split('/').map(encodeURIComponent).join('/')}${rest}`;
}

/** GET /images/json */
export function listImages(client: EngineClient, query: Query): Promise<ImageRow[]> {
  return client.json('GET', '/images/json', { query });
}

/** GET /images/{name}/json, as the engine wrote it. */
export function inspectImageText(client: EngineClient, name: string, query: Query = {}): Promise<string> {
  return client.text('GET', at(name, '/json'), { query });
}

/** GET /images/{name}/history */
export function imageHistory(client: EngineClient, name: string, query: Query): Promise<HistoryRow[]> {
  return client.json('GET', at(name, '/history'), { query });
}

/** POST /images/{name}/tag */
export function tagImage(
  client: EngineClient,
  name: string,
  repo: string,
  tag: string | undefined,
): Promise<number> {
  return client.send('POST', at(name, '/tag'), { query: { repo, tag } });
}

/** DELETE /images/{name} */
export function removeImage(
  client: EngineClient,
  name: string,
  query: Query,
): Promise<{ Untagged?: string; Deleted?: string }[]> {
  return client.json('DELETE', at(name), { query });
}

/** POST /images/load */
export function loadImages(
  client: EngineClient,
  body: NodeJS.ReadableStream,
  query: Query,
): Promise<IncomingMessage> {
  return client.stream('POST', '/images/load', {
    body,
    query,
    headers: { 'Content-Type': 'application/x-tar' },
  });
}

/** GET /images/get */
export function saveImages(
  client: EngineClient,
  names: readonly string[],
  platform: string | undefined,
): Promise<IncomingMessage> {
  return client.stream('GET', '/images/get', { query: { names, platform } });
}

/** POST /images/create, from a registry or (`fromSrc`) a tar stream. */
export function createImage(
  client: EngineClient,
  query: Query,
  body?: NodeJS.ReadableStream,
  headers: Readonly<Record<string, string>> = {},
): Promise<IncomingMessage> {
  return client.stream('POST', '/images/create', { query, headers, ...(body ? { body } : {}) });
}

/** POST /images/{name}/push */
export function pushImage(
  client: EngineClient,
  name: string,
  query: Query,
  headers: Readonly<Record<string, string>>,
): Promise<IncomingMessage> {
  // An engine refuses a push without this header; empty credentials are those of nobody.
  const auth = { 'X-Registry-Auth': NOBODY, ...headers };
  return client.stream('POST', at(name, '/push'), { query, headers: auth });
}

/** POST /images/prune */
export function pruneImages(client: EngineClient, filters: string | undefined): Promise<PruneReport> {
  return client.json('POST', '/images/prune', { query: { filters } });
}

/** GET /images/search */
export function searchImages(
  client: EngineClient,
  query: Query,
  headers: Readonly<Record<string, string>> = {},
): Promise<
  { name: string; description: string; star_count: number; is_official: boolean; is_automated: boolean }[]
> {
  return client.json('GET', '/images/search', { query, headers });
}

/** POST /wharf/images/bootstrap: makes a base image from the machine's own packages. */
export function bootstrapImage(client: EngineClient, name: string): Promise<IncomingMessage> {
  return client.stream('POST', '/wharf/images/bootstrap', { query: { name } });
}
