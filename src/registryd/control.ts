import { chmodSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { errnoCode, type Logger, nodeHttp, WharfError } from '../base/index.ts';
import type { GarbageReport } from '../registry/server/index.ts';
import type { CollectRequest } from './service.ts';

/** Where a running registry takes orders: whoever owns its root. */
const socketIn = (root: string) => join(root, 'control.sock');

/**
 * Serves orders on a Unix socket that only the owner may use. Whoever calls owns the root already: a socket that lies there
 * is left from a crash.
 */
export async function openControl(
  root: string,
  collect: (request: CollectRequest) => Promise<GarbageReport>,
  log: Logger,
): Promise<Disposable> {
  const path = socketIn(root);
  rmSync(path, { force: true });
  const server = nodeHttp().createServer((request, response) => {
    answer(request, response, collect).catch((error: unknown) => {
      log.error('an order was not carried out', { error });
      send(response, 500, { message: WharfError.from(error).message });
    });
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const before = process.umask(0o177);
  try {
    server.once('error', reject).listen({ path }, resolve);
  } finally {
    process.umask(before);
  }
  try {
    await promise;
  } catch (cause) {
    throw new WharfError('internal', `${path} can't be listened on: ${WharfError.from(cause).message}`, {
      cause,
    });
  }
  chmodSync(path, 0o600);
  return {
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
      rmSync(path, { force: true });
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  collect: (request: CollectRequest) => Promise<GarbageReport>,
): Promise<void> {
  const url = new URL(request.url ?? '', 'http://control');
  if (request.method !== 'POST' || url.pathname !== '/gc')
    return send(response, 404, { message: 'no such order' });
  const isSet = (name: string) => url.searchParams.get(name) === '1';
  const graceMs = Number(url.searchParams.get('grace'));
  // Not a number, it would compare as if everything were old.
  if (!(graceMs >= 0)) return send(response, 400, { message: 'the grace is a number of milliseconds' });
  send(response, 200, await collect({ dryRun: isSet('dry-run'), untagged: isSet('untagged'), graceMs }));
}

function send(response: ServerResponse, status: number, document: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(document));
}

/**
 * Tells the registry that runs over this root to collect garbage. Undefined when none runs. Errors: `forbidden` for others
 * than the owner, `internal` with what the registry said.
 */
export async function orderCollection(
  root: string,
  order: CollectRequest,
  signal?: AbortSignal,
): Promise<GarbageReport | undefined> {
  const query = new URLSearchParams({ grace: String(order.graceMs) });
  if (order.dryRun) query.set('dry-run', '1');
  if (order.untagged) query.set('untagged', '1');
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string } | undefined>();
  const request = nodeHttp().request(
    {
      socketPath: socketIn(root),
      method: 'POST',
      path: `/gc?${query}`,
      agent: false,
      ...(signal && { signal }),
    },
    (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    },
  );
  request.on('error', (error) => {
    if (['ENOENT', 'ECONNREFUSED'].includes(errnoCode(error) ?? '')) resolve(undefined);
    else
      reject(
        new WharfError(errnoCode(error) === 'EACCES' ? 'forbidden' : 'internal', error.message, {
          cause: error,
        }),
      );
  });
  request.end();
  const found = await promise;
  if (!found) return undefined;
  if (found.status !== 200) {
    const { message } = JSON.parse(found.body) as { message: string };
    throw new WharfError('internal', message);
  }
  return JSON.parse(found.body) as GarbageReport;
}
