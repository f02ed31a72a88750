import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { type Clock, systemClock, WharfError } from '../../base/index.ts';
import type { Action, User } from './types.ts';

/** Seconds for which an access token is good. Clients ask again when they need more. */
export const ACCESS_SECONDS = 300;
/** Seconds for which a refresh token is good: half a year without `login`. */
const REFRESH_SECONDS = 183 * 86_400;
/** Seconds by which clocks of a token's maker and reader may differ: another host may have made it with our key. */
const SKEW_SECONDS = 60;
/** Longer ones would not fit into a header, and are none of ours. */
const MAX_TOKEN_BYTES = 12 << 10;
/** Tokens that were found good, so that a pull of hundred requests verifies its token once. */
const MAX_RECENT = 500;
/** Scopes in one token. */
const MAX_SCOPES = 32;

/** What a token lets its bearer do: `repository` with `pull`, `push`, `delete`, or `registry` `catalog` with `*`. */
export interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** What a good token says. */
export interface TokenClaims {
  /** Undefined for nobody: tokens for what is public. */
  readonly user: User;
  /** The user's entry when it was made; see `HtpasswdUsers.fingerprint`. */
  readonly entry: string | undefined;
  readonly access: readonly Access[];
}

/** `access`: sent as bearer. `refresh`: traded for access tokens, in place of a password. */
export type TokenUse = 'access' | 'refresh';

/** Two `use`s never stand for each other: they have different audiences. */
const audience = (service: string, use: TokenUse) => (use === 'access' ? service : `${service}#refresh`);

/**
 * JSON Web Tokens (RFC 7519, 7515) in one form only: HS256 with the registry's own key. Whatever else a header says – other
 * algorithms, `kid`, `jwk`, `x5c`, `jku` – is never looked at: a header that differs from ours is refused.
 */
export class TokenSigner {
  private readonly key: Buffer;
  private readonly service: string;
  private readonly clock: Pick<Clock, 'nowNanos'>;
  private readonly recent = new Map<string, { claims: TokenClaims; from: number; until: number }>();

  /** `service` names this registry among those of the same key. */
  constructor(key: Buffer, service: string, clock: Pick<Clock, 'nowNanos'> = systemClock) {
    this.key = key;
    this.service = service;
    this.clock = clock;
  }

  /** Seconds since 1970, as tokens count. */
  now(): number {
    return Number(this.clock.nowNanos() / 1_000_000_000n);
  }

  sign(use: TokenUse, claims: TokenClaims): string {
    const now = this.now();
    const payload = {
      iss: this.service,
      sub: claims.user ?? '',
      aud: audience(this.service, use),
      iat: now,
      nbf: now,
      exp: now + (use === 'access' ? ACCESS_SECONDS : REFRESH_SECONDS),
      jti: randomUUID(),
      ...(claims.entry === undefined ? {} : { entry: claims.entry }),
      access: claims.access,
    };
    const body = `${HEADER}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
    return `${body}.${this.mac(body).toString('base64url')}`;
  }

  /** What a token says, or undefined when it is not ours, for something else, expired or not yet good. */
  verify(use: TokenUse, token: string): TokenClaims | undefined {
    if (token.length > MAX_TOKEN_BYTES) return undefined;
    const name = `${use} ${token}`;
    const found = this.recent.get(name) ?? this.read(use, token);
    const now = this.now();
    if (!found || now >= found.until || now < found.from) {
      this.recent.delete(name);
      return undefined;
    }
    this.recent.set(name, found);
    for (const oldest of this.recent.keys()) {
      if (this.recent.size <= MAX_RECENT) break;
      this.recent.delete(oldest);
    }
    return found.claims;
  }

  private read(use: TokenUse, token: string) {
    const [header, payload, signature, ...rest] = token.split('.');
    if (header !== HEADER || payload === undefined || signature === undefined || rest.length > 0)
      return undefined;
    const given = Buffer.from(signature, 'base64url');
    const right = this.mac(`${header}.${payload}`);
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    return this.claims(use, parseJson(Buffer.from(payload, 'base64url').toString()));
  }

  private claims(use: TokenUse, payload: unknown) {
    if (typeof payload !== 'object' || payload === null) return undefined;
    const { iss, aud, sub, exp, nbf, entry, access } = payload as Record<string, unknown>;
    if (iss !== this.service || aud !== audience(this.service, use) || typeof sub !== 'string')
      return undefined;
    if (typeof exp !== 'number' || typeof nbf !== 'number') return undefined;
    if (!Array.isArray(access) || !access.every(isAccess)) return undefined;
    const claims: TokenClaims = {
      user: sub === '' ? undefined : sub,
      entry: typeof entry === 'string' ? entry : undefined,
      access,
    };
    return { claims, from: nbf - SKEW_SECONDS, until: exp + SKEW_SECONDS };
  }

  private mac(body: string): Buffer {
    return createHmac('sha256', this.key).update(body).digest();
  }
}

const HEADER = Buffer.from('{"typ":"JWT","alg":"HS256"}').toString('base64url');

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAccess(value: unknown): value is Access {
  if (typeof value !== 'object' || value === null) return false;
  const { type, name, actions } = value as Record<string, unknown>;
  return typeof type === 'string' && typeof name === 'string' && Array.isArray(actions);
}

/**
 * Reads scopes as token requests have them, several in one word list or in several parameters:
 * `repository:lab/tools:pull,push registry:catalog:*`. Unknown types are kept; nobody gets them. Errors: `invalid`.
 */
export function parseScopes(values: readonly string[]): Access[] {
  const words = values.flatMap((value) => value.split(' ')).filter((word) => word !== '');
  if (words.length > MAX_SCOPES)
    throw new WharfError('invalid', `at most ${MAX_SCOPES} scopes fit into one token`);
  return words.map((word) => {
    // The name may hold colons itself (`host:port/name`); a class as in `repository(plugin)` says nothing here.
    const parts = /^([a-z0-9]+)(?:\([a-z0-9]*\))?:(.{1,300}):([a-z*,]*)$/.exec(word);
    if (!parts)
      throw new WharfError('invalid', `"${word.slice(0, 100)}" is no scope; type:name:action,action is`);
    const [, type = '', name = '', actions = ''] = parts;
    return { type, name, actions: [...new Set(actions.split(',').filter((action) => action !== ''))] };
  });
}

/** What of the scopes asked for is granted. `allows` decides; scopes without any right are left out. */
export function grantScopes(
  asked: readonly Access[],
  allows: { repository(action: Action, name: string): boolean; catalog(): boolean },
): Access[] {
  return asked.flatMap(({ type, name, actions }) => {
    if (type === 'registry' && name === 'catalog')
      return actions.includes('*') && allows.catalog() ? [{ type, name, actions: ['*'] }] : [];
    if (type !== 'repository') return [];
    const granted = ALL_ACTIONS.filter(
      (action) => (actions.includes(action) || actions.includes('*')) && allows.repository(action, name),
    );
    return granted.length > 0 ? [{ type, name, actions: granted }] : [];
  });
}

const ALL_ACTIONS: readonly Action[] = ['pull', 'push', 'delete'];

/** Whether a token's access covers an action. */
export function covers(access: readonly Access[], type: string, name: string, action: string): boolean {
  return access.some((each) => each.type === type && each.name === name && each.actions.includes(action));
}

/** Scopes as a token answer has them: `repository:lab/tools:pull,push`. */
export function scopeText(access: readonly Access[]): string {
  return access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' ');
}
