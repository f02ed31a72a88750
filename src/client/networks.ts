import type { NetworkRow, PruneReport } from './documents.ts';
import type { EngineClient } from './engine-client.ts';

const at = (name: string, rest = ''): string => `/networks/${encodeURIComponent(name)}${rest}`;

/** GET /networks */
export function listNetworks(client: EngineClient, filters: string | undefined): Promise<NetworkRow[]> {
  return client.json('GET', '/networks', { query: { filters } });
}

/** POST /networks/create */
export function createNetwork(
  client: EngineClient,
  json: unknown,
): Promise<{ Id: string; Warning?: string }> {
  return client.json('POST', '/networks/create', { json });
}

/** GET /networks/{name}, as the engine wrote it. */
export function inspectNetworkText(client: EngineClient, name: string, verbose = false): Promise<string> {
  return client.text('GET', at(name), { query: { verbose } });
}

/** POST /networks/{name}/connect */
export function connectNetwork(client: EngineClient, name: string, json: unknown): Promise<number> {
  return client.send('POST', at(name, '/connect'), { json });
}

/** POST /networks/{name}/disconnect */
export function disconnectNetwork(client: EngineClient, name: string, json: unknown): Promise<number> {
  return client.send('POST', at(name, '/disconnect'), { json });
}

/** DELETE /networks/{name} */
export function removeNetwork(client: EngineClient, name: string): Promise<number> {
  return client.send('DELETE', at(name));
}

/** POST /networks/prune */
export function pruneNetworks(client: EngineClient, filters: string | undefined): Promise<PruneReport> {
  return client.json('POST', '/networks/prune', { query: { filters } });
}
