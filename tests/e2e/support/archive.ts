import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { TestDaemon } from './daemon.ts';

/** An answer of the copy API. */
export interface ArchiveAnswer {
  status: number;
  body: Buffer;
  /** The decoded header `X-Docker-Container-Path-Stat`. */
  stat: { name: string; size: number; mode: number; mtime: string; linkTarget: string } | undefined;
}

/** One request on a container's archive. */
export async function archive(
  daemon: TestDaemon,
  method: 'GET' | 'HEAD' | 'PUT',
  container: string,
  path: string,
  body?: Buffer,
  query = '',
): Promise<ArchiveAnswer> {
  const outgoing = archiveRequest(daemon, method, container, path, query);
  outgoing.end(body);
  return answerOf(outgoing);
}

/** Such a request whose body is still to be sent. */
export function archiveRequest(
  daemon: TestDaemon,
  method: string,
  container: string,
  path: string,
  query = '',
): ClientRequest {
  return request({
    socketPath: daemon.socket,
    method,
    path: `/v1.51/containers/${container}/archive?path=${encodeURIComponent(path)}${query}`,
    agent: false,
  });
}

/** The whole answer of a request that is sent. */
export async function answerOf(outgoing: ClientRequest): Promise<ArchiveAnswer> {
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece);
  const header = incoming.headers['x-docker-container-path-stat'];
  return {
    status: incoming.statusCode ?? 0,
    body: Buffer.concat(pieces),
    stat: typeof header === 'string' ? JSON.parse(Buffer.from(header, 'base64').toString('utf8')) : undefined,
  };
}

/** The tar of files in a folder of the host. */
export function tarFrom(folder: string, ...names: string[]): Buffer {
  const made = spawnSync('tar', ['-C', folder, '-cf', '-', ...names], { maxBuffer: 1 << 28 });
  if (made.status !== 0) throw new Error(`tar: ${made.stderr}`);
  return made.stdout;
}

/** Names in a tar. */
export function tarNames(tar: Buffer): string[] {
  const listed = spawnSync('tar', ['-tPf', '-'], { input: tar });
  return listed.stdout.toString().split('\n').filter(Boolean);
}
