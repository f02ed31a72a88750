import { abortable, WharfError } from '../../base/index.ts';
import type { RegistryCredentials } from '../types.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { Endpoint, Reached } from './endpoint.ts';
import { atRequest, NetworkError } from './errors.ts';
import { type Call, follow } from './follow.ts';
import type { Net } from './net.ts';
import { type RetryPolicy, withRetries } from './retry.ts';
import { statusError } from './status.ts';
import { basic, noBasicCredentials, secretsOf, type TokenRequest } from './tokens.ts';
import type { RetryNotice } from './types.ts';
import type { WireResponse } from './wire.ts';

/** A refusal's body that is larger is not read further. */
const MAX_REFUSAL = 65_536;

/** A request of a session. */
export interface SessionCall extends Omit<Call, 'url' | 'authorization'> {
  /** Below the registry's base (`v2/…`), or a whole address that the registry gave. */
  path: string | URL;
  /** Scopes needed beside the session's own. */
  scopes?: readonly string[];
  /** Statuses of 400 and more that are answers to the caller and no errors. */
  accept?: readonly number[];
  /** The error code for a 404 without words. */
  unknown?: string;
  /** The method that Docker uses first for the same: texts about a login that is lacking name it. */
  told?: string;
}

/** Requests to one registry with one user's credentials: finds it, logs in, follows, retries, and words its errors. */
export class Session {
  readonly net: Net;
  readonly endpoint: Endpoint;
  readonly policy: RetryPolicy;
  private readonly credentials: RegistryCredentials;
  private readonly scopes: readonly string[];

  constructor(
    net: Net,
    endpoint: Endpoint,
    options: {
      credentials?: RegistryCredentials | undefined;
      scopes: readonly string[];
      attempts?: number;
      onRetry?: ((notice: RetryNotice) => void) | undefined;
    },
  ) {
    this.net = net;
    this.endpoint = endpoint;
    this.credentials = options.credentials ?? {};
    this.scopes = options.scopes;
    const { clock, random } = net;
    this.policy = { attempts: options.attempts ?? net.attempts, clock, random, onRetry: options.onRetry };
  }

  /** Sends a request, again and again within bounds while it may help. Errors as of `Repository`. */
  async request(what: string, call: SessionCall): Promise<WireResponse> {
    try {
      return await withRetries(this.policy, what, call.signal, () => this.once(call));
    } catch (thrown) {
      if (thrown instanceof NetworkError) this.endpoint.forget();
      throw thrown;
    }
  }

  /** Sends a request once; a second time if the registry wants a (new) token. */
  async once(call: SessionCall): Promise<WireResponse> {
    const reached = await this.endpoint.reach(call.signal);
    const url = this.address(reached, call.path);
    // What is kept or asked for elsewhere is not ours to log in to.
    const home = url.origin === reached.base.origin;
    let sent = home ? await this.authorize(reached, call, url) : NOTHING;
    let response = await this.send(call, url, sent.header, reached.base);
    // The challenge of another host, to which a redirect led, is not answered.
    const refused = response.status === 401 && home && response.url.origin === reached.base.origin;
    if (refused && sent.again) {
      const challenges = parseChallenges(response.headers['www-authenticate']);
      if (sent.request && sent.token) await this.net.tokens.drop(sent.request, sent.token);
      if (challenges.length > 0) {
        await response.discard();
        reached.challenges = challenges;
        sent = await this.authorize(reached, call, url, true);
        response = await this.send(call, url, sent.header, reached.base);
      }
    }
    return this.checked(call, response, sent);
  }

  private address(reached: Reached, path: string | URL): URL {
    const url = typeof path === 'string' ? new URL(path, reached.base) : new URL(path);
    if (this.endpoint.namespace !== undefined) url.searchParams.set('ns', this.endpoint.namespace);
    return url;
  }

  private send(
    call: SessionCall,
    url: URL,
    authorization: string | undefined,
    registry: URL,
  ): Promise<WireResponse> {
    const { path: _path, scopes: _scopes, accept: _accept, unknown: _unknown, told: _told, ...rest } = call;
    return follow(this.net, { ...rest, url, authorization, namedBy: registry });
  }

  private async checked(
    call: SessionCall,
    response: WireResponse,
    sent: Authorization,
  ): Promise<WireResponse> {
    const { status, headers } = response;
    if (status < 400 || call.accept?.includes(status)) return response;
    const body = await refusalBody(response);
    const secrets = secretsOf(this.credentials, sent.token);
    throw statusError(
      { status, headers, body },
      { secrets, ...(call.unknown !== undefined && { unknown: call.unknown }) },
    );
  }

  private async authorize(
    reached: Reached,
    call: SessionCall,
    url: URL,
    afterRefusal = false,
  ): Promise<Authorization> {
    const { username, password, registryToken } = this.credentials;
    if (registryToken) return { header: `Bearer ${registryToken}`, again: false };
    const bearer = reached.challenges.find(({ scheme }) => scheme === 'bearer');
    try {
      if (bearer) return await this.bearer(bearer, reached, call);
      if (!reached.challenges.some(({ scheme }) => scheme === 'basic')) return { again: !afterRefusal };
      if (!username || !password) throw noBasicCredentials();
      return { header: `Basic ${basic(username, password)}`, again: false };
    } catch (thrown) {
      throw atRequest(call.told ?? call.method, new URL(url.pathname, url), thrown);
    }
  }

  private async bearer(challenge: Challenge, reached: Reached, call: SessionCall): Promise<Authorization> {
    const scopes = [...new Set([...this.scopes, ...(call.scopes ?? [])])];
    const request = { challenge, scopes, credentials: this.credentials, registry: reached.base };
    const { token, cached } = await abortable(this.net.tokens.get(this.net, request), call.signal);
    return { header: `Bearer ${token}`, request, token, again: cached };
  }
}

interface Authorization {
  header?: string;
  request?: TokenRequest;
  token?: string;
  /** Whether a 401 may be cured by asking for another token. */
  again: boolean;
}

const NOTHING: Authorization = { again: false };

async function refusalBody(response: WireResponse): Promise<string> {
  try {
    return String(await response.bytes(MAX_REFUSAL));
  } catch (thrown) {
    if (thrown instanceof WharfError && thrown.kind === 'cancelled') throw thrown;
    return '';
  }
}
