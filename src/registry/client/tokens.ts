import type { WharfError } from '../../base/index.ts';
import type { RegistryCredentials } from '../types.ts';
import type { Challenge } from './challenge.ts';
import { clean, NetworkError, RegistryError, redactUrl } from './errors.ts';
import { type Call, follow, isElsewhere } from './follow.ts';
import { isInwardHost } from './inward.ts';
import type { Net } from './net.ts';
import { statusError } from './status.ts';

/** A token service's answer that is larger is none. */
const MAX_ANSWER = 1 << 20;
/** Tokens kept at once. */
const MAX_TOKENS = 1000;
/** Life of a token that does not say it, in seconds (distribution-spec's token authentication). */
const DEFAULT_LIFE = 60;
/** Name under which this client asks for tokens; services know Docker's. */
const CLIENT_ID = 'docker';

/** A bearer token and what came with it. */
export interface IssuedToken {
  token: string;
  /** An identity token, when one was asked for and given. */
  refreshToken: string | undefined;
  /** Monotonic milliseconds. */
  expires: number;
}

/** What a token is asked for. */
export interface TokenRequest {
  challenge: Challenge;
  scopes: readonly string[];
  credentials: RegistryCredentials;
  /** Where the challenge came from. */
  registry: URL;
  /** Ask for an identity token, too. */
  offline?: boolean;
}

/** Tokens by service, scopes and user; asked for once by all who need the same one at once. */
export class TokenCache {
  private readonly kept = new Map<string, Promise<IssuedToken>>();

  /** A token for the request, and whether it was there already. Errors: `unauthorized`, `unavailable`. */
  async get(net: Net, request: TokenRequest): Promise<{ token: string; cached: boolean }> {
    const key = keyOf(request);
    for (let kept = this.kept.get(key); kept; kept = this.kept.get(key)) {
      const { token, expires } = await kept;
      if (expires > net.clock.monotonic()) return { token, cached: true };
      if (this.kept.get(key) === kept) this.kept.delete(key);
    }
    const issued = fetchToken(net, request);
    this.kept.set(key, issued);
    for (const [oldest] of this.kept) if (this.kept.size > MAX_TOKENS) this.kept.delete(oldest);
    try {
      return { token: (await issued).token, cached: false };
    } catch (thrown) {
      if (this.kept.get(key) === issued) this.kept.delete(key);
      throw thrown;
    }
  }

  /** Forgets a token that a registry refused, unless there is another by now. */
  async drop(request: TokenRequest, refused: string): Promise<void> {
    const key = keyOf(request);
    const kept = this.kept.get(key);
    const current = await kept?.catch(() => undefined);
    if (current?.token === refused && this.kept.get(key) === kept) this.kept.delete(key);
  }
}

function keyOf({ challenge, scopes, credentials, registry }: TokenRequest): string {
  const { username, password, identityToken } = credentials;
  const { parameters } = challenge;
  const service = [registry.origin, parameters.get('realm'), parameters.get('service')];
  return JSON.stringify([...service, [...scopes].sort(), username, password, identityToken]);
}

/** Asks the token service that the challenge names. Errors: `unauthorized` with the service's words, `unavailable`. */
export async function fetchToken(net: Net, request: TokenRequest): Promise<IssuedToken> {
  const realm = realmOf(request.challenge);
  const { identityToken, password } = request.credentials;
  const secret = identityToken || password;
  if (secret && !mayTellRealm(realm, request.registry, net.realms)) {
    throw loginError(
      `the registry ${request.registry.host} wants its credentials sent to ${redactUrl(realm)}, which is another site`,
    );
  }
  if (realm.protocol === 'http:' && !mayTellRealm(realm, request.registry, net.realms))
    throw loginError(
      `the token service ${redactUrl(realm)} of ${request.registry.host} is not reached by HTTPS`,
    );
  const sameHost = realm.hostname === request.registry.hostname;
  if (!sameHost && isInwardHost(realm.hostname) && isElsewhere(net, request.registry))
    throw loginError(
      `the registry ${request.registry.host} names a token service within this machine: ${redactUrl(realm)}`,
    );
  const call = identityToken ? refreshCall(realm, request, identityToken) : passwordCall(realm, request);
  // A registry's own host may be this machine under a name of its own.
  const response = await follow(net, { ...call, namedBy: sameHost ? undefined : request.registry });
  const body = await response.bytes(MAX_ANSWER);
  if (response.status >= 400) {
    const refusal = { status: response.status, headers: response.headers, body: String(body) };
    throw statusError(refusal, { secrets: secretsOf(request.credentials), from: 'login' });
  }
  return readToken(net, response.status, body);
}

function passwordCall(realm: URL, { challenge, scopes, credentials, offline }: TokenRequest): Call {
  const { username, password } = credentials;
  const service = challenge.parameters.get('service');
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.append('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (offline) url.searchParams.append('offline_token', 'true');
  if (offline) url.searchParams.append('client_id', CLIENT_ID);
  if (!username || !password) return { method: 'GET', url };
  url.searchParams.append('account', username);
  return { method: 'GET', url, authorization: `Basic ${basic(username, password)}` };
}

/** OAuth2's refresh (distribution's "Oauth2 Token Authentication"): the identity token is in the body, which goes to no other address. */
function refreshCall(realm: URL, { challenge, scopes }: TokenRequest, identityToken: string): Call {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT_ID });
  form.set('service', challenge.parameters.get('service') ?? '');
  form.set('scope', scopes.join(' '));
  form.set('refresh_token', identityToken);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', url: realm, headers, body: Buffer.from(form.toString()), stay: true };
}

function readToken(net: Net, status: number, body: Buffer): IssuedToken {
  let answer: Record<string, unknown>;
  try {
    answer = Object(JSON.parse(String(body)));
  } catch {
    throw new NetworkError(`unable to decode token response: HTTP status ${status}`, false);
  }
  const token = answer['token'] || answer['access_token'];
  if (typeof token !== 'string' || !/^[\x21-\x7e]{1,65536}$/.test(token))
    throw new RegistryError('unauthorized', 'authorization server did not include a token in the response', {
      status: 401,
      faults: [{ code: 'UNAUTHORIZED', message: '' }],
      from: 'login',
    });
  const stated = Number(answer['expires_in']);
  const life = stated > 0 && Number.isFinite(stated) ? stated : DEFAULT_LIFE;
  const refresh = answer['refresh_token'];
  return {
    token,
    refreshToken: typeof refresh === 'string' && refresh !== '' ? refresh : undefined,
    // A tenth less than its life: a token must not run out on its way.
    expires: net.clock.monotonic() + life * 900,
  };
}

function realmOf({ parameters }: Challenge): URL {
  const text = parameters.get('realm') ?? '';
  const realm = URL.canParse(text) ? new URL(text) : undefined;
  if (!realm || !/^https?:$/.test(realm.protocol))
    throw loginError(`the registry names no usable token service: ${JSON.stringify(clean(text))}`);
  realm.username = '';
  realm.password = '';
  realm.hash = '';
  return realm;
}

function loginError(message: string): RegistryError {
  const faults = [{ code: 'UNAUTHORIZED', message }];
  return new RegistryError('unauthorized', message, { status: 401, faults, from: 'login' });
}

/** What of credentials, and of a token, must not be in any text. */
export function secretsOf(credentials: RegistryCredentials, token?: string): string[] {
  const { username = '', password, identityToken, registryToken } = credentials;
  const encoded = password ? basic(username, password) : undefined;
  return [encoded, password, identityToken, registryToken, token].filter((text) => text !== undefined);
}

/** `user:password` as RFC 7617 sends it. */
export function basic(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

/**
 * Whether a token service may be told the credentials that belong to a registry. A registry names its token service
 * itself, and who controls or imitates the registry's answers could name their own. So the service must be
 * - the registry's own host (any port), by HTTPS, or by HTTP if the registry itself is spoken to by HTTP; or
 * - by HTTPS, of the same site: `auth.docker.io` for `registry-1.docker.io`, `gitlab.com` for `registry.gitlab.com`; or
 * - by HTTPS, a host which the configuration lists.
 * Anonymous tokens are fetched from any HTTPS service. A domain's site is its last two labels, or three where the last
 * two are like `co.uk`; addresses have no site.
 */
export function mayTellRealm(realm: URL, registry: URL, listed: readonly string[] = []): boolean {
  if (realm.protocol !== 'https:')
    return registry.protocol === 'http:' && realm.hostname === registry.hostname;
  if (realm.hostname === registry.hostname) return true;
  if (listed.includes(realm.host)) return true;
  const site = siteOf(realm.hostname);
  return site !== undefined && site === siteOf(registry.hostname);
}

function siteOf(hostname: string): string | undefined {
  if (/^[\d.]+$|^\[/.test(hostname)) return undefined;
  const labels = hostname.replace(/\.$/, '').split('.');
  const last = labels.at(-1) ?? '';
  const above = labels.at(-2) ?? '';
  const count = last.length === 2 && above.length <= 3 ? 3 : 2;
  return labels.length < count ? undefined : labels.slice(-count).join('.');
}

/** Thrown where a registry wants Basic credentials and there are none, with Docker's text. */
export function noBasicCredentials(): WharfError {
  return loginError('no basic auth credentials');
}
