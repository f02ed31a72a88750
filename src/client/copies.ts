import type { IncomingMessage } from 'node:http';
import { WharfError } from '../base/index.ts';
import type { EngineClient } from './engine-client.ts';
import { objectPath } from './object-path.ts';

/** The type bits of `mode`, as Go has them (io/fs.FileMode). */
export const PATH_MODE = {
  directory: 2 ** 31,
  link: 2 ** 27,
  device: 2 ** 26,
  socket: 2 ** 24,
  charDevice: 2 ** 21,
  irregular: 2 ** 19,
} as const;

/** What a path in a container is. `linkTarget` is where a link leads, resolved in the container. */
export interface PathStat {
  name: string;
  size: number;
  /** Permissions, and type bits of {@link PATH_MODE}. */
  mode: number;
  mtime: string;
  linkTarget: string;
}

/** True when the path is of that type. */
export function isPathMode(stat: PathStat, type: keyof typeof PATH_MODE): boolean {
  return Math.floor(stat.mode / PATH_MODE[type]) % 2 === 1;
}

const at = (container: string): string => objectPath('container', container, '/archive');
const HEADER = 'x-docker-container-path-stat';

/** HEAD /containers/{id}/archive */
export async function statContainerPath(
  client: EngineClient,
  container: string,
  path: string,
): Promise<PathStat> {
  const response = await client.stream('HEAD', at(container), { query: { path } });
  response.resume();
  return pathStat(response);
}

/** GET /containers/{id}/archive: the tar of a file or folder, and what it is. */
export async function getArchive(
  client: EngineClient,
  container: string,
  path: string,
): Promise<{ stat: PathStat; archive: IncomingMessage }> {
  const archive = await client.stream('GET', at(container), { query: { path } });
  return { stat: pathStat(archive), archive };
}

/** PUT /containers/{id}/archive: unpacks a tar in a folder of the container. */
export async function putArchive(
  client: EngineClient,
  container: string,
  input: { path: string; body: NodeJS.ReadableStream; copyUidGid: boolean },
): Promise<void> {
  await client.send('PUT', at(container), {
    query: {
      path: input.path,
      noOverwriteDirNonDir: 'true',
      ...(input.copyUidGid ? { copyUIDGID: 'true' } : {}),
    },
    body: input.body,
    headers: { 'Content-Type': 'application/x-tar' },
  });
}

/** Base64 of a JSON document (Engine API, ContainerArchiveInfo). Throws `corrupt`. */
function pathStat(response: IncomingMessage): PathStat {
  const text = String(response.headers[HEADER] ?? '');
  try {
    return JSON.parse(Buffer.from(text, 'base64').toString()) as PathStat;
  } catch (thrown) {
    response.destroy();
    throw new WharfError('corrupt', `unable to decode container path stat header: ${text.slice(0, 80)}`, {
      cause: thrown,
    });
  }
}
