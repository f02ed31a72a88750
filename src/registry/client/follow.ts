import { WharfError } from '../../base/index.ts';
import { atRequest, NetworkError, redactUrl } from './errors.ts';
import { isInwardHost } from './inward.ts';
import type { Net } from './net.ts';
import { exchange, type WireBody, type WireResponse } from './wire.ts';

/** A request to a registry or token service, with what must not leave its origin apart. */
export interface Call {
  method: string;
  url: URL;
  headers?: Record<string, string>;
  /** Goes to the origin of `url` and nowhere else. */
  authorization?: string | undefined;
  body?: WireBody | undefined;
  /** The registry that named this address, when it is one at another origin. */
  namedBy?: URL | undefined;
  /** True for a body that must not go to another address: redirects are not followed. */
  stay?: boolean;
  signal?: AbortSignal | undefined;
}

const MAX_HOPS = 5;
const PUT_PATIENCE = 5;

/**
 * Sends a request and follows redirects. Authorization is dropped at the first hop to another origin and never taken up
 * again. A hop from HTTPS to HTTP is refused, but for a host where HTTP is allowed on both sides. Other methods than GET
 * and HEAD follow only 307 and 308, which keep method and body.
 */
export async function follow(net: Net, call: Call): Promise<WireResponse> {
  let { url, authorization } = call;
  const { method, body, signal } = call;
  // From the first hop on that a registry elsewhere decided.
  let guarded = false;
  let namedBy = call.namedBy;
  for (let hop = 0; ; hop++) {
    const headers: Record<string, string> = { 'user-agent': net.userAgent, ...call.headers };
    if (authorization !== undefined) headers['authorization'] = authorization;
    guarded ||= namedBy !== undefined && namedBy.origin !== url.origin && isElsewhere(net, namedBy);
    const response = await exchangeOnFreshSocket(net, { method, url, headers, body, signal }, guarded);
    const location = response.headers.location;
    const follows = /^(GET|HEAD)$/.test(method) ? [301, 302, 303, 307, 308] : [307, 308];
    if (call.stay || location === undefined || !follows.includes(response.status)) return response;
    await response.discard();
    if (hop === MAX_HOPS)
      throw atRequest(method, call.url, new NetworkError(`stopped after ${MAX_HOPS} redirects`, false));
    const next = hopTarget(net, url, location);
    if (next.origin !== url.origin) authorization = undefined;
    namedBy = url;
    url = next;
  }
}

/** A kept connection may have been closed by the other side just now: that says nothing about the request. */
async function exchangeOnFreshSocket(
  net: Net,
  request: Omit<Parameters<typeof exchange>[0], 'agent' | 'stallMs'>,
  guarded: boolean,
): Promise<WireResponse> {
  const { method, url } = request;
  try {
    // A registry may take its time to put an uploaded blob where it belongs before it answers.
    const stallMs = method === 'PUT' ? net.stallMs * PUT_PATIENCE : net.stallMs;
    const whole = { ...request, agent: net.agents.for(url, guarded), stallMs };
    try {
      return await exchange(whole);
    } catch (thrown) {
      const again = thrown instanceof NetworkError && thrown.stale && method !== 'PATCH';
      if (!again) throw thrown;
      return await exchange(whole);
    }
  } catch (thrown) {
    // What is mended between two tries, as an authority put into certs.d, must count at the next one.
    if (thrown instanceof NetworkError) net.agents.forget(url);
    throw atRequest(method, url, toldOfProxy(net, url, thrown));
  }
}

/** What can't be dialled is the proxy when there is one; Go programs name it so. */
function toldOfProxy(net: Net, url: URL, thrown: unknown): unknown {
  const dialled = thrown instanceof NetworkError && thrown.message.startsWith('dial tcp');
  if (!dialled || !net.agents.isProxied(url)) return thrown;
  return new NetworkError(`proxyconnect tcp: ${thrown.message}`, thrown.passing, thrown.cause);
}

/**
 * Where a redirect or a Location leads, when a registry may send us there. The same host is never left for HTTP: a
 * registry behind a TLS proxy may name itself so. A registry elsewhere can't send us to this machine or to a link-local
 * address, where the cloud's metadata services answer. Errors: `unavailable`.
 */
export function hopTarget(net: Pick<Net, 'insecure'>, from: URL, location: string): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (!target || !/^https?:$/.test(target.protocol))
    throw new NetworkError('the registry redirects to something that is no http address', false);
  target.username = '';
  target.password = '';
  target.hash = '';
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    if (target.hostname === from.hostname && samePort(target, from)) target.protocol = 'https:';
    else if (!net.insecure.has(from.host) || !net.insecure.has(target.host))
      throw new NetworkError(`the registry redirects from HTTPS to HTTP: ${redactUrl(target)}`, false);
  }
  if (isInwardHost(target.hostname) && isElsewhere(net, from))
    throw new NetworkError(`the registry redirects into this machine: ${redactUrl(target)}`, false);
  return target;
}

/** A registry that is neither on this machine nor among those that the configuration trusts. */
export function isElsewhere(net: Pick<Net, 'insecure'>, registry: URL): boolean {
  return !isInwardHost(registry.hostname) && !net.insecure.has(registry.host);
}

function samePort(target: URL, from: URL): boolean {
  return target.port === '' || target.port === from.port;
}

/** The target of a Location that must be there. Errors: `unavailable`; `invalid` when there is none. */
export function locationOf(net: Pick<Net, 'insecure'>, response: WireResponse): URL {
  const { location } = response.headers;
  if (location === undefined) throw new WharfError('invalid', 'the registry gave no Location for the upload');
  return hopTarget(net, response.url, location);
}
