import { isKind, WharfError } from '../base/index.ts';
import { placeText, processPlace } from '../sys/index.ts';
import type { EngineClient, Query } from './engine-client.ts';
import { jsonLines } from './json-lines.ts';
import { objectPath } from './object-path.ts';
import { wharfOnly } from './wharf-only.ts';

/** Is told how far a copy is, in bytes of its tar. */
export type CopyWatcher = (bytes: number) => void;

/** One line of the answer. */
interface Step {
  Bytes?: number;
  /** What the engine failed with on the client's side of the copy. */
  HostError?: string;
  errorDetail?: { message?: string };
}

/**
 * POST /wharf/containers/{id}/copy-in: the engine itself reads what is to be copied. False where it does not do so for this
 * client; nothing was done then. Throws what `putArchive` does, and WharfError `invalid` for what cannot be read.
 */
export function putInPlace(
  client: EngineClient,
  container: string,
  input: {
    path: string;
    source: { folder: string; entry: string; name: string };
    copyUidGid: boolean;
  },
  watch: CopyWatcher,
): Promise<boolean> {
  const { path, source, copyUidGid } = input;
  const query = { path, noOverwriteDirNonDir: true, copyUIDGID: copyUidGid, ...source };
  return copyInPlace(client, objectPath('container', container, '/copy-in'), query, watch);
}

/**
 * POST /wharf/containers/{id}/copy-out: the engine itself writes what is copied, into a folder here. False where it does not
 * do so for this client; nothing was done then. Throws what `getArchive` does, and WharfError `invalid` for what cannot be
 * written.
 */
export function getInPlace(
  client: EngineClient,
  container: string,
  input: { path: string; target: { folder: string; name: string | undefined; keepOwners: boolean } },
  watch: CopyWatcher,
): Promise<boolean> {
  const query = { path: input.path, ...input.target };
  return copyInPlace(client, objectPath('container', container, '/copy-out'), query, watch);
}

/** True where an engine may copy in place for this process: for root, by a socket of this host. */
export function copiesInPlace({ endpoint }: EngineClient): boolean {
  return process.geteuid?.() === 0 && endpoint.socketPath !== undefined;
}

async function copyInPlace(
  client: EngineClient,
  path: string,
  query: Query,
  watch: CopyWatcher,
): Promise<boolean> {
  const own = copiesInPlace(client) ? processPlace(process.pid) : undefined;
  if (!own) return false;
  const caller = placeText(own);
  try {
    const answer = client.stream('POST', `/wharf${path}`, { query: { ...query, caller } });
    for await (const step of jsonLines<Step>(await wharfOnly(answer, 'copying in place'))) take(step, watch);
    return true;
  } catch (thrown) {
    if (isKind(thrown, 'not-implemented')) return false;
    throw thrown;
  }
}

function take({ Bytes, HostError, errorDetail }: Step, watch: CopyWatcher): void {
  if (errorDetail)
    throw new WharfError('internal', errorDetail.message ?? '', { cause: { status: 200, engine: true } });
  if (HostError !== undefined) throw new WharfError('invalid', HostError);
  if (Bytes !== undefined) watch(Bytes);
}
