import { flushCompileCache } from 'node:module';
import type { Logger } from '../base/index.ts';
import { openRegistryRoot } from './root.ts';
import { openRegistryService, type RegistryService } from './service.ts';
import { parseRegistrySettings } from './settings.ts';

/** What the program serves. */
export interface ServeOptions {
  /** Folder of everything that the registry keeps. */
  root: string;
  /** By name, as `parseRegistrySettings` takes them. */
  settings: Readonly<Record<string, string>>;
  log: Logger;
}

/**
 * Serves a registry of its own root until the signal fires; resolves when all is put down. `started` gets the running
 * service. Errors: those of `parseRegistrySettings`, `openRegistryRoot` and `openRegistryService`.
 */
export async function serveRegistry(
  options: ServeOptions,
  signal: AbortSignal,
  started: (service: RegistryService) => void = () => {},
): Promise<void> {
  const { root, log } = options;
  const settings = parseRegistrySettings(options.settings);
  using store = await openRegistryRoot(root, log);
  const { content, database, leases } = store;
  const service = await openRegistryService({ settings, root, content, database, leases, log });
  try {
    await service.listen();
    started(service);
    // For the next start, which needs less memory by a third then: this process may never end in peace.
    flushCompileCache();
    await fired(signal);
    log.info('the registry ends: requests under way may finish');
  } finally {
    await service.close();
  }
}

function fired(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
