import type { Logger } from '../base/index.ts';
import type * as Operations from '../engine/distribution/index.ts';
import type { DistributionDeps, OwnRegistry } from '../engine/distribution/index.ts';
import type { openRegistries, Registries, RegistryHosts } from '../registry/client/index.ts';
import type { CurrentSettings } from './current-settings.ts';
import { type Engine, imageDeps } from './engine.ts';
import { wharfVersion } from './package-facts.ts';

/** CAs and client certificates of registries; Docker's folder is read, too, so that a host set up for it works at once. */
const CERTS_DIRS = ['/etc/wharf/certs.d', '/etc/docker/certs.d'];

/** The registries as the settings in force have them: a reload makes new ones, and work under way keeps what it has. */
class CurrentRegistries implements Disposable {
  private readonly current: CurrentSettings;
  private readonly log: Logger;
  private readonly open: typeof openRegistries;
  private opened: { registries: Registries; from: object } | undefined;
  private readonly replaced: Registries[] = [];

  constructor(current: CurrentSettings, log: Logger, open: typeof openRegistries) {
    this.current = current;
    this.log = log;
    this.open = open;
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
    this.opened = { registries: this.open(hosts, this.log), from: distribution };
    return this.opened.registries;
  }

  [Symbol.dispose](): void {
    for (const registries of this.replaced) registries[Symbol.dispose]();
    this.opened?.registries[Symbol.dispose]();
  }
}

/** The operations on images of registries, and what they use. */
export interface Distribution {
  operations: typeof Operations;
  deps: DistributionDeps;
}

/** Loads pulls and pushes with the first of them: a daemon that only runs containers starts sooner and stays smaller. */
export class LateDistribution implements Disposable {
  private readonly engine: Engine;
  private readonly current: CurrentSettings;
  private readonly own: OwnRegistry | undefined;
  private loading: Promise<Distribution> | undefined;
  private registries: CurrentRegistries | undefined;

  constructor(engine: Engine, current: CurrentSettings, own: OwnRegistry | undefined) {
    this.engine = engine;
    this.current = current;
    this.own = own;
  }

  get(): Promise<Distribution> {
    this.loading ??= this.load();
    return this.loading;
  }

  private async load(): Promise<Distribution> {
    const { engine, current, own } = this;
    const [operations, { openRegistries }] = await Promise.all([
      import('../engine/distribution/index.ts'),
      import('../registry/client/index.ts'),
    ]);
    const registries = new CurrentRegistries(current, engine.log, openRegistries);
    this.registries = registries;
    const limits = {
      downloads: () => current.settings.distribution.maxDownloads,
      uploads: () => current.settings.distribution.maxUploads,
      attempts: () => current.settings.distribution.attempts,
    };
    const images = imageDeps(engine);
    const deps = {
      ...images,
      registries: () => registries.get(),
      own,
      limits,
      leases: engine.leases,
      fetcher: new operations.BlobFetcher({ ...images, limits }),
      uploads: new operations.Uploads(limits.uploads),
    };
    return { operations, deps };
  }

  [Symbol.dispose](): void {
    this.registries?.[Symbol.dispose]();
  }
}
