import { once } from 'node:events';
import type { Call } from '../http/call.ts';
import { startStream } from '../http/respond.ts';
import type { Route } from '../http/route.ts';

/** Whole filesystems of containers. */
export const exportRoutes: readonly Route[] = [
  { method: 'GET', path: '/containers/{id}/export', handler: exportContainer },
];

async function exportContainer(call: Call): Promise<void> {
  const { signal, response } = call;
  const archive = await call.backends.commits.export(call.param('id'), signal);
  startStream(call, 'application/octet-stream');
  try {
    for await (const piece of archive) {
      if (!response.write(piece)) await once(response, 'drain', { signal });
    }
    response.end();
  } catch (thrown) {
    // What fails midway cuts the connection: a client must not take the rest for the whole.
    if (!signal.aborted) throw thrown;
  }
}
