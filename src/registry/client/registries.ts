import { type Clock, type Logger, systemClock } from '../../base/index.ts';
import type { RegistryCredentials, Repository } from '../types.ts';
import { Agents } from './agents.ts';
import { Endpoint } from './endpoint.ts';
import { hubSearchBase, insecureHosts, mirrorsOf, ownCandidates, parseBase } from './endpoints.ts';
import { logIn } from './login.ts';
import type { Net } from './net.ts';
import { HttpRepository } from './repository.ts';
import { listRepositories, searchRepositories } from './search.ts';
import { Session } from './session.ts';
import { TokenCache } from './tokens.ts';
import type { Registries, RegistryHosts, RetryNotice, SearchResult } from './types.ts';

/** Time and chance, for tests. */
export interface RegistriesOptions {
  clock?: Clock;
  /** A number in [0, 1). */
  random?: () => number;
}

/** Registries over HTTP. Nothing is opened before it is needed. Errors: `invalid` for addresses of mirrors that are none. */
export function openRegistries(
  hosts: RegistryHosts,
  log: Logger,
  options: RegistriesOptions = {},
): Registries {
  return new HttpRegistries(hosts, log, options);
}

class HttpRegistries implements Registries {
  private readonly hosts: RegistryHosts;
  private readonly log: Logger;
  private readonly net: Net;
  private readonly endpoints = new Map<string, Endpoint>();

  constructor(hosts: RegistryHosts, log: Logger, { clock, random }: RegistriesOptions) {
    const insecure = insecureHosts(hosts.insecure);
    this.hosts = hosts;
    this.log = log;
    this.net = {
      agents: new Agents(hosts, insecure),
      insecure,
      tokens: new TokenCache(),
      clock: clock ?? systemClock,
      random: random ?? Math.random,
      userAgent: hosts.userAgent,
      stallMs: hosts.stallMs,
      attempts: hosts.attempts,
      realms: hosts.realms ?? [],
    };
    for (const urls of hosts.mirrors.values()) for (const url of urls) parseBase(url);
  }

  repository(
    { domain, path }: { domain: string; path: string },
    options: Parameters<Registries['repository']>[1],
  ): Repository {
    const { actions, credentials, onRetry } = options;
    const scopes = [`repository:${path}:${[...actions].sort().join(',')}`];
    const reads = actions.every((action) => action === 'pull');
    const mirrors = reads ? mirrorsOf(domain, this.hosts.mirrors) : [];
    return new HttpRepository(path, {
      own: this.session(domain, { scopes, credentials, onRetry }),
      mirrors: mirrors.map((url) => this.mirror(url, domain, scopes)),
      log: this.log,
    });
  }

  login(
    server: string,
    credentials: RegistryCredentials,
    signal?: AbortSignal,
  ): Promise<{ status: string; identityToken: string }> {
    return logIn(this.net, server, credentials, signal);
  }

  repositories(
    domain: string,
    credentials?: RegistryCredentials,
    signal?: AbortSignal,
  ): AsyncIterable<string> {
    return listRepositories(this.session(domain, { scopes: ['registry:catalog:*'], credentials }), signal);
  }

  search(
    domain: string,
    query: { term: string; limit: number },
    credentials?: RegistryCredentials,
    signal?: AbortSignal,
  ): Promise<SearchResult[]> {
    const catalogue = this.session(domain, { scopes: ['registry:catalog:*'], credentials });
    const base = hubSearchBase(domain);
    const sessions = base
      ? { search: new Session(this.net, this.hubSearch(base, credentials), { credentials, scopes: [] }) }
      : { search: this.session(domain, { scopes: [], credentials }), catalogue };
    return searchRepositories(sessions, query, signal);
  }

  [Symbol.dispose](): void {
    this.net.agents[Symbol.dispose]();
  }

  /** The hub's search is no registry: it takes Basic credentials where there are some, and asks for none. */
  private hubSearch(base: URL, credentials: RegistryCredentials | undefined): Endpoint {
    const basic = credentials?.username && credentials.password;
    const challenges = basic ? [{ scheme: 'basic', parameters: new Map<string, string>() }] : [];
    return new Endpoint(this.net, [{ base }], { known: { base, challenges } });
  }

  private session(
    domain: string,
    options: {
      scopes: readonly string[];
      credentials?: RegistryCredentials | undefined;
      onRetry?: ((notice: RetryNotice) => void) | undefined;
    },
  ): Session {
    const own = () => new Endpoint(this.net, ownCandidates(domain, this.net.insecure));
    return new Session(this.net, this.endpoint(domain, own), options);
  }

  /** A mirror is asked once, without the credentials of the registry for which it stands. */
  private mirror(url: string, domain: string, scopes: readonly string[]): Session {
    const base = parseBase(url);
    const credentials = {
      username: decodeURIComponent(base.username),
      password: decodeURIComponent(base.password),
    };
    base.username = '';
    base.password = '';
    const namespace = domain === 'docker.io' ? undefined : domain;
    const open = () => new Endpoint(this.net, [{ base }], { namespace });
    const endpoint = this.endpoint(`${base.href} ${namespace ?? ''}`, open);
    return new Session(this.net, endpoint, { credentials, scopes, attempts: 1 });
  }

  private endpoint(key: string, open: () => Endpoint): Endpoint {
    let endpoint = this.endpoints.get(key);
    if (!endpoint) {
      if (this.endpoints.size >= MAX_ENDPOINTS) this.endpoints.clear();
      endpoint = open();
      this.endpoints.set(key, endpoint);
    }
    return endpoint;
  }
}

/** Registries that are remembered at once; names come from users, and have no end. */
const MAX_ENDPOINTS = 256;
