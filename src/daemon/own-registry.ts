import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../base/index.ts';
import type { Digest } from '../oci/index.ts';
import type { RegistryService } from '../registryd/index.ts';
import type { Engine } from './engine.ts';
import type { Settings } from './settings.ts';

/** The registry that the daemon serves, if it is told to. */
export interface DaemonRegistry {
  service: RegistryService | undefined;
  /** Whether some repository needs a blob; the content store is the engine's, too. */
  needs(digest: Digest): boolean;
  /** Begins to serve. A failure is logged: what the engine does for containers goes on. */
  listen(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the registry over the engine's content store and database. A registry that was served once and is not now keeps its
 * content: turning it off is not deleting it. One that can't be opened (a file of users that is not there, say) is logged and not
 * served: containers must come back all the same. Its code is loaded only where there is one. Errors: `invalid` settings.
 */
export async function openDaemonRegistry(settings: Settings, engine: Engine): Promise<DaemonRegistry> {
  const root = join(settings.dataRoot, 'registry');
  const configured = Object.keys(settings.registry).length > 0;
  if (!configured && !existsSync(root)) return NONE;
  const { openRegistryService, parseRegistrySettings } = await import('../registryd/index.ts');
  const open = (values: Record<string, string>) =>
    openRegistryService({
      settings: parseRegistrySettings(values),
      root,
      content: engine.storage.content,
      database: engine.storage.database,
      leases: engine.leases,
      log: engine.log,
      neededElsewhere: (digest) => engine.storage.images.needed().blobs.has(digest),
    });
  let service: RegistryService;
  let served = configured;
  try {
    service = await open(settings.registry);
  } catch (error) {
    engine.log.error('THE REGISTRY IS NOT SERVED: it could not be opened; mend it and restart the daemon', {
      error,
    });
    served = false;
    // Its content is still its own.
    service = await open({});
  }
  return new OpenRegistry(service, served, engine.log);
}

class OpenRegistry implements DaemonRegistry {
  service: RegistryService | undefined;
  private readonly opened: RegistryService;
  private readonly log: Logger;

  constructor(opened: RegistryService, served: boolean, log: Logger) {
    this.opened = opened;
    this.service = served ? opened : undefined;
    this.log = log;
  }

  needs(digest: Digest): boolean {
    return this.opened.needs(digest);
  }

  async listen(): Promise<void> {
    try {
      await this.service?.listen();
    } catch (error) {
      this.log.error("THE REGISTRY IS NOT SERVED: it can't listen; mend it and restart the daemon", {
        error,
      });
    }
  }

  close(): Promise<void> {
    return this.opened.close();
  }
}

const NONE: DaemonRegistry = {
  service: undefined,
  needs: () => false,
  listen: async () => undefined,
  close: async () => undefined,
};
