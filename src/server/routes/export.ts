import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Call } from '../http/call.ts';
import { startStream } from '../http/respond.ts';
import type { Route } from '../http/route.ts';

/** Whole filesystems of containers. */
export const exportRoutes: readonly Route[] = [
  { method: 'GET', path: '/containers/{id}/export', handler: exportContainer },
];

async function exportContainer(call: Call): Promise<void> {
  const archive = await call.backends.commits.export(call.param('id'), call.signal);
  startStream(call, 'application/octet-stream');
  try {
    await pipeline(Readable.from(archive, { objectMode: false }), call.response);
  } catch (thrown) {
    // What fails midway cuts the connection: a client must not take the rest for the whole.
    if (!call.signal.aborted) throw thrown;
  }
}
