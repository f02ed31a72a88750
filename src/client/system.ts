import type { IncomingMessage } from 'node:http';
import type { DiskUsage, PruneReport } from './documents.ts';
import type { EngineClient, Query } from './engine-client.ts';

/** GET /version, as the engine wrote it. */
export function versionText(client: EngineClient): Promise<string> {
  return client.text('GET', '/version');
}

/** GET /info, as the engine wrote it. */
export function infoText(client: EngineClient): Promise<string> {
  return client.text('GET', '/info');
}

/** GET /events */
export function events(client: EngineClient, query: Query, signal?: AbortSignal): Promise<IncomingMessage> {
  return client.stream('GET', '/events', { query, signal });
}

/** GET /system/df */
export function diskUsage(client: EngineClient): Promise<DiskUsage> {
  return client.json('GET', '/system/df');
}

/** POST /auth */
export function authenticate(
  client: EngineClient,
  json: unknown,
): Promise<{ Status: string; IdentityToken?: string }> {
  return client.json('POST', '/auth', { json });
}

/** POST /containers/prune */
export function pruneContainers(client: EngineClient, filters: string | undefined): Promise<PruneReport> {
  return client.json('POST', '/containers/prune', { query: { filters } });
}

/** One difference that `GET /wharf/verify` found: the check that failed, and what it saw. */
export interface Finding {
  check: string;
  problem: string;
}

/** GET /wharf/verify: the kernel's objects against the database. */
export function verify(client: EngineClient): Promise<{ ok: boolean; findings?: Finding[] | null }> {
  return client.json('GET', '/wharf/verify');
}

/** POST /build/prune */
export function pruneBuildCache(client: EngineClient, query: Query): Promise<PruneReport> {
  return client.json('POST', '/build/prune', { query });
}
