import type { Agent, AgentOptions } from 'node:http';
import type { LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import { nodeHttp } from '../../base/index.ts';
import { readHostCertificates, secureContext } from './certificates.ts';
import type { InsecureHosts } from './endpoints.ts';
import { NetworkError } from './errors.ts';
import { guardedLookup } from './inward.ts';
import { proxyFor } from './proxy.ts';
import type { RegistryHosts } from './types.ts';

/** Unused connections to a host that are kept for the next request. */
const KEPT = 16;
/** Milliseconds after which an unused connection is closed. */
const KEPT_MS = 60_000;
/** Bytes that may wait in our memory a connection: larger means fewer stops of the stream. */
const WINDOW = 256 << 10;

/** Pools of kept connections by origin, each with the TLS and the proxy which that origin needs. */
export class Agents implements Disposable {
  private readonly hosts: Pick<RegistryHosts, 'certsDirs' | 'proxy'>;
  private readonly insecure: InsecureHosts;
  private readonly pools = new Map<string, Agent>();
  private plainContext: SecureContext | undefined;

  constructor(hosts: Pick<RegistryHosts, 'certsDirs' | 'proxy'>, insecure: InsecureHosts) {
    this.hosts = hosts;
    this.insecure = insecure;
  }

  /**
   * The pool of an address's origin. `guarded`: a name that leads into this machine is refused when it is connected to.
   * Errors: `invalid` for files of `certs.d` or a proxy that can't be used.
   */
  for(url: URL, guarded = false): Agent {
    const key = guarded ? `guarded ${url.origin}` : url.origin;
    let pool = this.pools.get(key);
    if (!pool) {
      pool = this.open(url, guarded);
      this.pools.set(key, pool);
    }
    return pool;
  }

  /** Forgets the pools of an origin, so that certificates are read anew. Connections in use stay; others end by their age. */
  forget(url: URL): void {
    this.pools.delete(url.origin);
    this.pools.delete(`guarded ${url.origin}`);
  }

  /** Whether an address is reached by a proxy. */
  isProxied(url: URL): boolean {
    return proxyFor(url, this.hosts.proxy) !== undefined;
  }

  [Symbol.dispose](): void {
    for (const pool of this.pools.values()) pool.destroy();
    this.pools.clear();
  }

  private open(url: URL, guarded: boolean): Agent {
    const proxy = proxyFor(url, this.hosts.proxy);
    const options: AgentOptions & { highWaterMark: number; lookup?: LookupFunction } = {
      keepAlive: true,
      maxFreeSockets: KEPT,
      timeout: KEPT_MS,
      scheduling: 'lifo',
      highWaterMark: WINDOW,
      ...(guarded &&
        !proxy && { lookup: guardedLookup(process.getBuiltinModule('node:dns').lookup, refusal) }),
      ...(proxy && { proxyEnv: { HTTP_PROXY: proxy.href, HTTPS_PROXY: proxy.href } }),
    };
    if (url.protocol === 'http:') return new (nodeHttp().Agent)(options);
    const verified = !this.insecure.has(url.host);
    const certificates = readHostCertificates(this.hosts.certsDirs, url.host);
    const own = certificates.authorities.length + certificates.clients.length > 0;
    const context = own || !verified ? secureContext(certificates, verified) : this.shared();
    return new (process.getBuiltinModule('node:https').Agent)({
      ...options,
      secureContext: context,
      rejectUnauthorized: verified,
    });
  }

  private shared(): SecureContext {
    this.plainContext ??= secureContext({ authorities: [], clients: [] }, true);
    return this.plainContext;
  }
}

const refusal = () => new NetworkError('the registry redirects into this machine', false);
