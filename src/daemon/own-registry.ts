import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../oci/index.ts';
import type { RegistryService } from '../registryd/index.ts';
import type { Engine } from './engine.ts';
import type { Settings } from './settings.ts';

/** The registry that the daemon serves, if it is told to. */
export interface DaemonRegistry {
  service: RegistryService | undefined;
  /** Whether some repository needs a blob; the content store is the engine's, too. */
  needs: (digest: Digest) => boolean;
  close(): Promise<void>;
}

/**
 * Opens the registry over the engine's content store and database. A registry that was served once and is not now keeps its
 * content: turning it off is not deleting it. Its code is loaded only where there is one. Errors: `invalid` settings.
 */
export async function openDaemonRegistry(settings: Settings, engine: Engine): Promise<DaemonRegistry> {
  const root = join(settings.dataRoot, 'registry');
  const configured = Object.keys(settings.registry).length > 0;
  if (!configured && !existsSync(root)) return NONE;
  const { openRegistryService, parseRegistrySettings } = await import('../registryd/index.ts');
  const service = await openRegistryService({
    settings: parseRegistrySettings(settings.registry),
    root,
    content: engine.storage.content,
    database: engine.storage.database,
    leases: engine.leases,
    log: engine.log,
    neededElsewhere: (digest) => engine.storage.images.needed().blobs.has(digest),
  });
  return {
    service: configured ? service : undefined,
    needs: (digest) => service.needs(digest),
    close: () => service.close(),
  };
}

const NONE: DaemonRegistry = { service: undefined, needs: () => false, close: async () => undefined };
