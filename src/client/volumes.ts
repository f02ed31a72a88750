import type { PruneReport, VolumeRow } from './documents.ts';
import type { EngineClient } from './engine-client.ts';
import { objectPath } from './object-path.ts';
import { wharfOnly } from './wharf-only.ts';

const at = (name: string): string => objectPath('volume', name);

/** GET /volumes */
export function listVolumes(
  client: EngineClient,
  filters: string | undefined,
): Promise<{ Volumes: VolumeRow[] | null; Warnings: string[] | null }> {
  return client.json('GET', '/volumes', { query: { filters } });
}

/** POST /volumes/create */
export function createVolume(client: EngineClient, json: unknown): Promise<VolumeRow> {
  return client.json('POST', '/volumes/create', { json });
}

/** GET /volumes/{name}, as the engine wrote it. */
export async function inspectVolumeText(client: EngineClient, name: string): Promise<string> {
  return await client.text('GET', at(name));
}

/** DELETE /volumes/{name} */
export function removeVolume(client: EngineClient, name: string, force: boolean): Promise<number> {
  return client.send('DELETE', at(name), { query: { force } });
}

/** POST /volumes/prune */
export function pruneVolumes(client: EngineClient, filters: string | undefined): Promise<PruneReport> {
  return client.json('POST', '/volumes/prune', { query: { filters } });
}

/**
 * GET /wharf/volumes/{name}, as the engine wrote it: with how much it holds, and which containers use it. Wharf's own.
 * Throws WharfError `not-implemented` for another engine.
 */
export async function inspectVolumeUsageText(client: EngineClient, name: string): Promise<string> {
  const lack = 'this engine does not tell who uses a volume: --usage';
  return await wharfOnly(client.text('GET', `/wharf${at(name)}`), lack);
}
