import type { IncomingMessage } from 'node:http';
import { WharfError } from '../base/index.ts';
import type { ContainerRow, CreateRequest, StatsSample, WaitResult } from './documents.ts';
import type { EngineClient, Hijacked, Query } from './engine-client.ts';
import { checkedName, objectPath } from './object-path.ts';

const at = (id: string, rest = ''): string => objectPath('container', id, rest);

/** Filters as the engine reads them: JSON in the query. */
export function filterText(filters: Readonly<Record<string, readonly string[]>>): string | undefined {
  const entries = Object.entries(filters).filter(([, values]) => values.length > 0);
  if (entries.length === 0) return undefined;
  return JSON.stringify(
    Object.fromEntries(
      entries.map(([key, values]) => [key, Object.fromEntries(values.map((value) => [value, true]))]),
    ),
  );
}

/** GET /containers/json */
export function listContainers(client: EngineClient, query: Query): Promise<ContainerRow[]> {
  return client.json('GET', '/containers/json', { query });
}

/** POST /containers/create */
export function createContainer(
  client: EngineClient,
  body: CreateRequest,
  query: Query,
): Promise<{ Id: string; Warnings?: string[] | null }> {
  return client.json('POST', '/containers/create', { json: body, query });
}

/** GET /containers/{id}/json, as the engine wrote it. */
export function inspectContainerText(client: EngineClient, id: string, size = false): Promise<string> {
  return client.text('GET', at(id, '/json'), { query: { size } });
}

/** GET /containers/{id}/json */
export async function inspectContainer(client: EngineClient, id: string): Promise<InspectedContainer> {
  return JSON.parse(await inspectContainerText(client, id)) as InspectedContainer;
}

/** The fields of a container's document that the client itself needs. */
export interface InspectedContainer {
  Id: string;
  Name: string;
  State: { Running: boolean; Paused: boolean; Restarting: boolean; ExitCode: number; Status: string };
  Config: {
    Tty: boolean;
    OpenStdin: boolean;
    AttachStdin: boolean;
    AttachStdout: boolean;
    AttachStderr: boolean;
  };
  HostConfig: { AutoRemove?: boolean };
  NetworkSettings: { Ports?: Record<string, { HostIp: string; HostPort: string }[] | null> | null };
}

/** POST on a container: start, stop, kill, pause … */
export function postContainer(
  client: EngineClient,
  id: string,
  verb: string,
  query: Query = {},
): Promise<number> {
  return client.send('POST', at(id, `/${verb}`), { query });
}

/** DELETE /containers/{id} */
export function removeContainer(client: EngineClient, id: string, query: Query): Promise<number> {
  return client.send('DELETE', at(id), { query });
}

/** POST /containers/{id}/update */
export function updateContainer(
  client: EngineClient,
  id: string,
  json: unknown,
): Promise<{ Warnings?: string[] | null }> {
  return client.json('POST', at(id, '/update'), { json });
}

/** POST /containers/{id}/attach, hijacked. */
export function attachContainer(
  client: EngineClient,
  id: string,
  query: Query,
  signal?: AbortSignal,
): Promise<Hijacked> {
  return client.hijack(at(id, '/attach'), { query, signal });
}

/** POST /containers/{id}/wait: the first promise settles when the engine has begun to wait, the inner one at the exit. */
export async function waitContainer(
  client: EngineClient,
  id: string,
  condition?: string,
  signal?: AbortSignal,
): Promise<{ exit: Promise<WaitResult> }> {
  const response = await client.stream('POST', at(id, '/wait'), { query: { condition }, signal });
  return { exit: readJson<WaitResult>(response) };
}

async function readJson<T>(response: AsyncIterable<Buffer>): Promise<T> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  const text = Buffer.concat(parts).toString();
  if (text.trim() === '') throw new WharfError('unavailable', 'unexpected EOF');
  return JSON.parse(text) as T;
}

/** GET /containers/{id}/logs */
export function containerLogs(
  client: EngineClient,
  id: string,
  query: Query,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  return client.stream('GET', at(id, '/logs'), { query, signal });
}

/** GET /containers/{id}/top */
export function topContainer(
  client: EngineClient,
  id: string,
  psArgs: string | undefined,
): Promise<{ Titles: string[]; Processes: string[][] | null }> {
  return client.json('GET', at(id, '/top'), { query: { ps_args: psArgs } });
}

/** GET /containers/{id}/changes; kind 0 is changed, 1 added, 2 deleted. */
export function containerChanges(
  client: EngineClient,
  id: string,
): Promise<{ Path: string; Kind: number }[] | null> {
  return client.json('GET', at(id, '/changes'));
}

/** GET /containers/{id}/stats as a stream of samples, or one. */
export function containerStats(
  client: EngineClient,
  id: string,
  query: Query,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  return client.stream('GET', at(id, '/stats'), { query, signal });
}

/** One sample without a stream. */
export function containerStatsOnce(client: EngineClient, id: string): Promise<StatsSample> {
  return client.json('GET', at(id, '/stats'), { query: { stream: '0' } });
}

/** POST /containers/{id}/resize */
export function resizeContainer(
  client: EngineClient,
  id: string,
  size: { rows: number; columns: number },
): Promise<number> {
  return postContainer(client, id, 'resize', { h: size.rows, w: size.columns });
}

/** GET /containers/{id}/export: the container's files as a tar. */
export async function exportContainer(client: EngineClient, id: string): Promise<IncomingMessage> {
  return await client.stream('GET', at(id, '/export'));
}

/** POST /commit: an image of a container's changes. Throws WharfError `invalid` for an empty name. */
export async function commitContainer(
  client: EngineClient,
  container: string,
  query: Query,
): Promise<{ Id: string }> {
  return await client.json('POST', '/commit', {
    query: { container: checkedName('container', container), ...query },
  });
}
