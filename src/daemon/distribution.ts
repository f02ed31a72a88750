import type { Logger } from '../base/index.ts';
import {
  BlobFetcher,
  type DistributionDeps,
  type OwnRegistry,
  Uploads,
} from '../engine/distribution/index.ts';
import { openRegistries, type Registries, type RegistryHosts } from '../registry/client/index.ts';
import type { CurrentSettings } from './current-settings.ts';
import { type Engine, imageDeps } from './engine.ts';
import { wharfVersion } from './package-facts.ts';

/** CAs and client certificates of registries; Docker's folder is read, too, so that a host set up for it works at once. */
const CERTS_DIRS = ['/etc/wharf/certs.d', '/etc/docker/certs.d'];

/** The registries as the settings in force have them: a reload makes new ones, and work under way keeps what it has. */
export class CurrentRegistries implements Disposable {
  private readonly current: CurrentSettings;
  private readonly log: Logger;
  private opened: { registries: Registries; from: object } | undefined;
  private readonly replaced: Registries[] = [];

  constructor(current: CurrentSettings, log: Logger) {
    this.current = current;
    this.log = log;
  }

  get(): Registries {
    const { distribution } = this.current.settings;
    if (this.opened?.from === distribution) return this.opened.registries;
    if (this.opened) this.replaced.push(this.opened.registries);
    const hosts: RegistryHosts = {
      insecure: distribution.insecure,
      mirrors: distribution.mirrors,
      certsDirs: CERTS_DIRS,
      proxy: distribution.proxy,
      userAgent: `wharf/${wharfVersion()}`,
      attempts: distribution.attempts,
      stallMs: distribution.stallTimeout * 1000,
    };
    this.opened = { registries: openRegistries(hosts, this.log), from: distribution };
    return this.opened.registries;
  }

  [Symbol.dispose](): void {
    for (const registries of this.replaced) registries[Symbol.dispose]();
    this.opened?.registries[Symbol.dispose]();
  }
}

/** What pulls and pushes use. */
export function distributionDeps(
  engine: Engine,
  current: CurrentSettings,
  registries: CurrentRegistries,
  own: OwnRegistry | undefined,
): DistributionDeps {
  const limits = {
    downloads: () => current.settings.distribution.maxDownloads,
    uploads: () => current.settings.distribution.maxUploads,
    attempts: () => current.settings.distribution.attempts,
  };
  const images = imageDeps(engine);
  return {
    ...images,
    registries: () => registries.get(),
    own,
    limits,
    leases: engine.leases,
    fetcher: new BlobFetcher({ ...images, limits }),
    uploads: new Uploads(limits.uploads),
  };
}
