import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, WharfError } from '../base/index.ts';
import { type GarbageReport, openLocalStorage } from '../registry/server/index.ts';
import { orderCollection } from './control.ts';
import { openRegistryRoot } from './root.ts';
import type { CollectRequest } from './service.ts';

/**
 * Collects the garbage of a root: by the registry that runs over it – the program's or a daemon's –, beside its requests; or
 * by itself when none runs. Errors: `not-found` when no registry was ever there; `unavailable` when it is a daemon's that does not run; `conflict` when the root is in
 * use by something that takes no orders.
 */
export async function collectRegistry(
  root: string,
  request: CollectRequest,
  log: Logger,
  signal?: AbortSignal,
): Promise<GarbageReport> {
  if (!(request.graceMs >= 0))
    throw new WharfError('invalid', 'the grace of a collection is no time before now');
  const report = await orderCollection(root, request, signal);
  if (report) return report;
  if (!existsSync(join(root, 'meta.db'))) throw nothingThere(root);
  const { dryRun, untagged, graceMs } = request;
  using store = await openRegistryRoot(root, log);
  const { content, database, leases } = store;
  const storage = openLocalStorage({ content, database, leases, log });
  try {
    return await storage.collect({ dryRun, untagged, uploadAgeMs: graceMs });
  } finally {
    await storage.close();
  }
}

/** A daemon's registry has its records in the daemon's database: only the daemon knows what is garbage there. */
function nothingThere(root: string): WharfError {
  return existsSync(join(root, 'audit.log')) || existsSync(join(root, 'token-key'))
    ? new WharfError(
        'unavailable',
        `the registry in ${root} is served by a daemon, which does not run: start it`,
      )
    : new WharfError('not-found', `there is no registry in ${root}`);
}
