import type { IncomingMessage, ServerResponse } from 'node:http';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type Logger, makeFolder, UndoStack } from '../base/index.ts';
import type { ContentStore, Leases } from '../content/index.ts';
import type { Database } from '../meta/index.ts';
import type { Digest } from '../oci/index.ts';
import {
  type AuditLog,
  auditTo,
  createRegistryServer,
  type GarbageReport,
  inProcessRepository,
  type LocalStorage,
  openAuditFile,
  openLocalStorage,
  type RegistryServer,
  type RegistryStorage,
} from '../registry/server/index.ts';
import type { RegistryCredentials, Repository } from '../registry/types.ts';
import { auditedRepository, refusedLogin } from './audited-repository.ts';
import { openControl } from './control.ts';
import { type Door, openDoor } from './door.ts';
import { type Listeners, openListeners } from './listeners.ts';
import { formatAddress, isLoopback, type ListenAddress, type RegistrySettings } from './settings.ts';

/** Requests may finish for so long when the registry ends. */
const GRACE_MS = 10_000;

/** What a registry service is made of. The instances are their owner's: an engine's, or the registry program's own. */
export interface RegistryServiceOptions {
  settings: RegistrySettings;
  /** Folder of the registry's own files: key of tokens, audit log, control socket. Made when missing. */
  root: string;
  content: ContentStore;
  database: Database;
  leases: Leases;
  log: Logger;
  /** Whether others who share the content store need a blob; not given, the store is the registry's own. */
  neededElsewhere?: (digest: Digest) => boolean;
}

/** What a collection of garbage may do. */
export interface CollectRequest {
  /** Only say what would go. */
  dryRun: boolean;
  /** Remove manifests that no tag reaches, too. */
  untagged: boolean;
  /** Milliseconds for which what a client brought, found or left half sent is kept though nothing names it yet. */
  graceMs: number;
}

/**
 * A registry in this process: storage, users, rights, audit, sockets. The program `wharf registry serve` is one over a root
 * of its own; the daemon opens one over the engine's content store and database:
 *
 *     const settings = parseRegistrySettings(daemonSettings.registry);
 *     const registry = await openRegistryService({
 *       settings, root: join(dataRoot, 'registry'), content, database, leases, log,
 *       neededElsewhere: (digest) => imagesNeed(digest),
 *     });
 *     await registry.listen();           // after everything else is up
 *     …                                  // DistributionDeps.own = registry
 *     …                                  // sweeps of the content store keep what registry.needs(digest)
 *     registry.reload();                 // SIGHUP: certificate and audit file; users and rights follow their files
 *     await registry.close();            // before the database and the content store
 */
export interface RegistryService {
  readonly storage: RegistryStorage;
  /** Answers one request, for servers of others. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  /** `127.0.0.1:5000`: as bound; empty before `listen`. */
  readonly addresses: readonly string[];
  /** Binds the addresses and the control socket. Errors: `conflict` when one is taken, `invalid` for bad TLS files. */
  listen(): Promise<void>;
  /** True for a domain (`localhost:5000`) by which clients of this machine reach this registry. */
  serves(domain: string): boolean;
  /** A repository with the rights of these credentials, without a socket. Errors: `unauthorized`, `rate-limited`. */
  repository(path: string, credentials: RegistryCredentials): Promise<Repository>;
  /** True while some repository needs the blob. Synchronous, for sweeps. */
  needs(digest: Digest): boolean;
  collect(request: CollectRequest): Promise<GarbageReport>;
  /** Opens certificate and audit file anew. What can't be opened is logged, and the old one stays. */
  reload(): void;
  /** Lets requests finish for ten seconds, cuts the rest, and puts everything down. */
  close(): Promise<void>;
}

/**
 * Opens the registry's records; nothing is served before `listen`. Errors: `invalid`, naming the setting or the file and its
 * line, for users, rights and audit files that can't be used.
 */
export async function openRegistryService(options: RegistryServiceOptions): Promise<RegistryService> {
  const { settings, root, content, database, leases, log, neededElsewhere } = options;
  makeFolder(root, 0o700);
  // What is open, put down in reverse when the service closes or can't be opened.
  const opened = new UndoStack(log);
  try {
    const audit = openAudit(settings, root, log);
    opened.push('close the audit log', () => audit.close());
    const storage = openLocalStorage({
      content,
      database,
      leases,
      log,
      ...(neededElsewhere && { neededElsewhere }),
    });
    opened.push('close the storage', () => storage.close());
    const door = openDoor(settings, root, log);
    opened.push('forget the users', () => door[Symbol.dispose]());
    const server = createRegistryServer({
      storage,
      gatekeeper: door.gatekeeper,
      audit: (entry) => audit.write(entry),
      log,
    });
    opened.push('cut the requests', () => server.close());
    return new Service(options, { audit, storage, door, server, opened });
  } catch (thrown) {
    await opened[Symbol.asyncDispose]();
    throw thrown;
  }
}

function openAudit(settings: RegistrySettings, root: string, log: Logger): AuditLog {
  const { auditLog = join(root, 'audit.log') } = settings;
  if (auditLog === 'off') return NO_AUDIT;
  return auditLog === '-' ? auditTo(2) : openAuditFile(auditLog, log);
}

const NO_AUDIT: AuditLog = { write() {}, reopen() {}, close() {} };

interface Parts {
  audit: AuditLog;
  storage: LocalStorage;
  door: Door;
  server: RegistryServer;
  opened: UndoStack;
}

class Service implements RegistryService {
  readonly storage: RegistryStorage;
  readonly handler: RegistryService['handler'];
  private readonly options: RegistryServiceOptions;
  private readonly parts: Parts;
  private listeners: Listeners | undefined;
  private control: Disposable | undefined;

  constructor(options: RegistryServiceOptions, parts: Parts) {
    this.options = options;
    this.parts = parts;
    this.storage = parts.storage;
    this.handler = parts.server.handler;
  }

  get addresses(): readonly string[] {
    return this.listeners?.addresses.map(formatAddress) ?? [];
  }

  async listen(): Promise<void> {
    const { settings, root, log } = this.options;
    this.control = await openControl(root, (request) => this.collect(request), log);
    this.parts.opened.push('close the control socket', () => this.control?.[Symbol.dispose]());
    this.listeners = await openListeners(this.parts.server, settings);
    log.info('the registry is ready', {
      listen: this.addresses,
      tls: settings.tls !== undefined,
      users: settings.htpasswd ?? 'nobody has to log in',
    });
  }

  serves(domain: string): boolean {
    const { externalUrl, tls } = this.options.settings;
    if (externalUrl !== undefined && new URL(externalUrl).host === domain) return true;
    const bound = this.listeners?.addresses ?? [];
    return bound.some(({ host, port }) => {
      const asked = splitDomain(domain, tls ? 443 : 80);
      return asked?.port === port && reaches(asked.host, host);
    });
  }

  async repository(path: string, credentials: RegistryCredentials): Promise<Repository> {
    const { audit, door, storage } = this.parts;
    const grant = await door.grantFor(credentials).catch((thrown: unknown) => {
      audit.write(refusedLogin(path, thrown));
      throw thrown;
    });
    return auditedRepository(inProcessRepository({ storage, grant, path }), {
      user: grant.user,
      audit: (entry) => audit.write(entry),
    });
  }

  needs(digest: Digest): boolean {
    return this.parts.storage.needs(digest);
  }

  collect({ dryRun, untagged, graceMs }: CollectRequest): Promise<GarbageReport> {
    return this.parts.storage.collect({ dryRun, untagged, uploadAgeMs: graceMs });
  }

  reload(): void {
    this.parts.audit.reopen();
    try {
      this.listeners?.reloadTls();
    } catch (error) {
      this.options.log.error('the certificate was not read again; the old one stays', { error });
    }
  }

  async close(): Promise<void> {
    await this.listeners?.close(GRACE_MS);
    this.listeners = undefined;
    await this.parts.opened[Symbol.asyncDispose]();
  }
}

/** `localhost:5000`, `registry.lab`, `[::1]:5000`. */
function splitDomain(domain: string, defaultPort: number): ListenAddress | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(domain);
  if (!match) return undefined;
  return { host: match[1] ?? match[2] ?? '', port: Number(match[3] ?? defaultPort) };
}

/** Whether a client of this machine that names `asked` comes to a socket bound to `bound`. */
function reaches(asked: string, bound: string): boolean {
  if (asked === bound) return true;
  const everywhere = bound === '0.0.0.0' || bound === '::';
  if (asked === 'localhost') return everywhere || isLoopback(bound);
  if (!everywhere) return false;
  return Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === asked));
}
