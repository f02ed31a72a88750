import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { type Clock, isKind, systemClock, WharfError } from '../../base/index.ts';
import type { RegistryCredentials } from '../types.ts';
import { basicCredentials } from './gatekeeper-basic.ts';
import { LoginThrottle } from './gatekeeper-throttle.ts';
import type { HtpasswdUsers } from './htpasswd.ts';
import { type Access, covers, type TokenClaims, TokenSigner } from './tokens.ts';
import { answerTokenRequest, type TokenIssuer } from './tokens-endpoint.ts';
import type { AccessPolicy, Gatekeeper, Grant, Needs, Refusal, User } from './types.ts';

/** Where tokens are given out. */
const TOKEN_PATH = '/token';

/** Unless told otherwise, who sends nothing of a login's form for so long is cut; milliseconds. */
const STALL_MS = 10_000;

/** What a registry with users lets in by. */
export interface GatekeeperOptions {
  users: HtpasswdUsers;
  policy: AccessPolicy;
  /** Signs tokens; 32 secret bytes. */
  key: Buffer;
  /** Name of this registry in tokens and challenges. */
  service: string;
  /** Where clients reach the registry, without a slash at the end; without it, what they themselves say in `Host`. */
  externalUrl?: string;
  clock?: Clock;
  /** A client that sends none of its login for so long is cut; 10,000 ms unless given. */
  stallMs?: number;
}

/** Who a request comes from. A token narrows the rights of its user to its `access`. */
interface Identity {
  user: User;
  access: readonly Access[] | undefined;
}

/**
 * Lets users in by HTTP Basic and by bearer tokens that it issues itself (the token protocol of Docker and OCI
 * registries). A token only ever narrows: what its user may do is asked of the policy at each request, so that a right taken
 * away, a changed password or a removed user ends it at once.
 */
export class UserGatekeeper implements Gatekeeper, TokenIssuer {
  readonly service: string;
  readonly policy: AccessPolicy;
  readonly tokens: TokenSigner;
  readonly stallMs: number;
  private readonly users: HtpasswdUsers;
  private readonly key: Buffer;
  private readonly externalUrl: string | undefined;
  private readonly throttle: LoginThrottle;
  private readonly entries = new Map<string, { entry: string; name: string }>();

  constructor(options: GatekeeperOptions) {
    const clock = options.clock ?? systemClock;
    this.users = options.users;
    this.policy = options.policy;
    this.key = options.key;
    this.service = options.service;
    this.externalUrl = options.externalUrl;
    this.tokens = new TokenSigner(options.key, options.service, clock);
    this.throttle = new LoginThrottle(clock);
    this.stallMs = options.stallMs ?? STALL_MS;
  }

  authorize(request: IncomingMessage, needs: Needs): Grant | Refusal | Promise<Grant | Refusal> {
    const identity = this.identify(request, needs);
    if (identity instanceof Promise)
      return identity.then((found) => ('status' in found ? found : this.decide(request, needs, found)));
    return 'status' in identity ? identity : this.decide(request, needs, identity);
  }

  serves(path: string): boolean {
    return path === TOKEN_PATH;
  }

  serve(request: IncomingMessage, response: ServerResponse): Promise<{ user: User }> {
    return answerTokenRequest(this, request, response);
  }

  /** Rights of credentials that come from within this process. Errors: `unauthorized`, `rate-limited`. */
  async grantFor(credentials: RegistryCredentials): Promise<Grant> {
    const { username, password = '', identityToken, registryToken } = credentials;
    if (registryToken !== undefined && registryToken !== '') {
      const claims = this.tokens.verify('access', registryToken);
      if (!claims || !this.holds(claims)) throw new WharfError('unauthorized', 'authentication required');
      return this.grant(claims.user, claims.access);
    }
    if (identityToken !== undefined && identityToken !== '') {
      const claims = this.tokens.verify('refresh', identityToken);
      if (claims?.user === undefined || !this.holds(claims))
        throw new WharfError('unauthorized', 'the login is not valid any more; log in again');
      return this.grant(claims.user, undefined);
    }
    if (username === undefined || username === '') return this.grant(undefined, undefined);
    const found = await this.login('this process', username, password);
    if (typeof found === 'object') throw new WharfError('rate-limited', found.message);
    if (found === undefined) throw new WharfError('unauthorized', 'incorrect username or password');
    return this.grant(found, undefined);
  }

  /** Checks a password, slowing down who guesses from that address. Remembered ones are answered at once. */
  login(address: string, username: string, password: string): User | Refusal | Promise<User | Refusal> {
    if (this.users.isRemembered(username, password)) return username;
    if (!this.users.isUnderway(username, password)) {
      const seconds = this.throttle.attempt(address, username);
      if (seconds > 0) return tooMany(seconds);
    }
    return this.users.check(username, password).then(
      (user) => {
        if (user !== undefined) this.throttle.succeeded(address, username);
        return user;
      },
      (thrown: unknown) => {
        if (isKind(thrown, 'rate-limited')) return tooMany(5);
        throw thrown;
      },
    );
  }

  /** Changes with the user's password, and goes with the user. */
  entryOf(username: string): string | undefined {
    const entry = this.users.entry(username);
    if (entry === undefined) return undefined;
    const known = this.entries.get(username);
    if (known?.entry === entry) return known.name;
    const name = createHmac('sha256', this.key)
      .update(`entry\0${username}\0${entry}`)
      .digest('base64url')
      .slice(0, 22);
    // As many as there are users in the file.
    this.entries.set(username, { entry, name });
    return name;
  }

  /** The user of a token, unless the user is gone or has another password since. */
  holds(claims: TokenClaims): boolean {
    return claims.user === undefined || claims.entry === this.entryOf(claims.user);
  }

  private identify(request: IncomingMessage, needs: Needs): Identity | Refusal | Promise<Identity | Refusal> {
    const { authorization } = request.headers;
    if (authorization === undefined) return { user: undefined, access: undefined };
    const bearer = /^bearer +(\S+)$/i.exec(authorization)?.[1];
    if (bearer !== undefined) {
      const claims = this.tokens.verify('access', bearer);
      if (claims && this.holds(claims)) return { user: claims.user, access: claims.access };
      return this.unauthorized(request, needs, 'invalid_token');
    }
    const basic = basicCredentials(authorization);
    if (!basic) return this.unauthorized(request, needs);
    const accept = (found: User | Refusal): Identity | Refusal => {
      if (typeof found === 'object') return found;
      return found === undefined
        ? this.unauthorized(request, needs, undefined, 'incorrect username or password')
        : { user: found, access: undefined };
    };
    const found = this.login(request.socket.remoteAddress ?? '', basic.username, basic.password);
    return found instanceof Promise ? found.then(accept) : accept(found);
  }

  private decide(request: IncomingMessage, needs: Needs, identity: Identity): Grant | Refusal {
    const { user, access } = identity;
    const { policy } = this;
    if (needs === 'base') {
      // Clients ask here whether and how to log in; who shows nothing must be told.
      return user === undefined && access === undefined
        ? this.unauthorized(request, needs)
        : this.grant(user, access);
    }
    const allowed =
      needs === 'catalog' ? policy.allowsCatalog(user) : policy.allows(user, needs.action, needs.repository);
    if (!allowed) {
      // With a token nobody has asked for all he can have already: clients take this for the last word.
      const error = access === undefined ? undefined : 'insufficient_scope';
      if (user === undefined) return this.unauthorized(request, needs, error);
      return { user, status: 403, code: 'DENIED', message: 'requested access to the resource is denied' };
    }
    const covered =
      access === undefined ||
      (needs === 'catalog'
        ? covers(access, 'registry', 'catalog', '*')
        : covers(access, 'repository', needs.repository, needs.action));
    if (!covered) return this.unauthorized(request, needs, 'insufficient_scope', undefined, user);
    // A token for the catalogue names no repositories: it shows what its user may pull.
    return this.grant(user, needs === 'catalog' ? undefined : access);
  }

  /** What a user may do, within what a token names if there is one. */
  private grant(user: User, access: readonly Access[] | undefined): Grant {
    const { policy } = this;
    return {
      user,
      allows: (action, repository) =>
        (access === undefined || covers(access, 'repository', repository, action)) &&
        policy.allows(user, action, repository),
      allowsOverwrite: (repository) => policy.allowsOverwrite(user, repository),
    };
  }

  private unauthorized(
    request: IncomingMessage,
    needs: Needs,
    error?: 'invalid_token' | 'insufficient_scope',
    message = 'authentication required',
    user?: User,
  ): Refusal {
    const parts = [`realm="${this.baseUrl(request)}${TOKEN_PATH}"`, `service="${this.service}"`];
    const scope = scopeOf(needs);
    if (scope !== undefined) parts.push(`scope="${scope}"`);
    if (error !== undefined) parts.push(`error="${error}"`);
    return { user, status: 401, code: 'UNAUTHORIZED', message, challenge: `Bearer ${parts.join(',')}` };
  }

  private baseUrl(request: IncomingMessage): string {
    if (this.externalUrl !== undefined) return this.externalUrl;
    const { socket } = request;
    const scheme = (socket as TLSSocket).encrypted === true ? 'https' : 'http';
    const { host } = request.headers;
    // The client's own word, given back to it alone; anything that could leave the quotes is not.
    if (host !== undefined && /^[A-Za-z0-9._:[\]-]{1,300}$/.test(host)) return `${scheme}://${host}`;
    const address = socket.localAddress ?? '127.0.0.1';
    return `${scheme}://${address.includes(':') ? `[${address}]` : address}:${socket.localPort ?? 0}`;
  }
}

/** The scope for which a client must ask; a push reads as well, to see what is there. */
function scopeOf(needs: Needs): string | undefined {
  if (needs === 'base') return undefined;
  if (needs === 'catalog') return 'registry:catalog:*';
  const actions = { pull: 'pull', push: 'pull,push', delete: 'delete' }[needs.action];
  return `repository:${needs.repository}:${actions}`;
}

function tooMany(seconds: number): Refusal {
  return {
    user: undefined,
    status: 429,
    code: 'TOOMANYREQUESTS',
    message: `too many failed logins; try again in ${seconds} s`,
    retryAfter: seconds,
  };
}
