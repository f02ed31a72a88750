import type { ExposureDocument, IPAMConfig, Network } from '../api/index.ts';
import type { NetworkRow, PruneReport } from './documents.ts';
import type { EngineClient } from './engine-client.ts';
import { checkedName, objectPath } from './object-path.ts';

const at = (name: string, rest = ''): string => objectPath('network', name, rest);

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

/** GET /networks/{name}, as the engine wrote it. Throws WharfError `invalid` for an empty name, as all of these. */
export async function inspectNetworkText(
  client: EngineClient,
  name: string,
  verbose = false,
): Promise<string> {
  return await client.text('GET', at(name), { query: { verbose } });
}

/** POST /networks/{name}/connect */
export async function connectNetwork(
  client: EngineClient,
  name: string,
  container: string,
  settings: unknown,
): Promise<void> {
  const path = at(name, '/connect');
  await client.send('POST', path, {
    json: { Container: checkedName('container', container), EndpointConfig: settings },
  });
}

/** POST /networks/{name}/disconnect */
export async function disconnectNetwork(
  client: EngineClient,
  name: string,
  container: string,
  force: boolean,
): Promise<void> {
  const path = at(name, '/disconnect');
  await client.send('POST', path, { json: { Container: checkedName('container', container), Force: force } });
}

/** DELETE /networks/{name} */
export async function removeNetwork(client: EngineClient, name: string): Promise<void> {
  await client.send('DELETE', at(name));
}

/** POST /networks/prune */
export function pruneNetworks(client: EngineClient, filters: string | undefined): Promise<PruneReport> {
  return client.json('POST', '/networks/prune', { query: { filters } });
}

/** GET /wharf/networks/exposure: every way to a port of a running container. Wharf's own. */
export async function networkExposure(client: EngineClient): Promise<ExposureDocument[]> {
  return (await client.json<ExposureDocument[] | null>('GET', '/wharf/networks/exposure')) ?? [];
}

/** POST /wharf/networks/{name}/renumber: other subnets, chosen by the engine where none are given. Wharf's own. */
export async function renumberNetwork(
  client: EngineClient,
  name: string,
  pools?: readonly IPAMConfig[],
): Promise<Network> {
  const path = `/wharf${at(name, '/renumber')}`;
  return await client.json('POST', path, { json: pools === undefined ? {} : { IPAM: { Config: pools } } });
}
