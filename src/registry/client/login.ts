import { abortable, WharfError } from '../../base/index.ts';
import type { RegistryCredentials } from '../types.ts';
import { Endpoint } from './endpoint.ts';
import { loginDomain, ownCandidates } from './endpoints.ts';
import { atRequest, RegistryError, redactUrl } from './errors.ts';
import { follow } from './follow.ts';
import type { Net } from './net.ts';
import { statusLine } from './status.ts';
import { basic, fetchToken, noBasicCredentials } from './tokens.ts';

/** Checks credentials as Docker does: `GET /v2/` with them, by way of what its challenge asks for. Errors as of `Registries.login`. */
export async function logIn(
  net: Net,
  server: string,
  credentials: RegistryCredentials,
  signal?: AbortSignal,
): Promise<{ status: string; identityToken: string }> {
  const endpoint = new Endpoint(net, ownCandidates(loginDomain(server), net.insecure));
  const { base, challenges } = await endpoint.reach(signal);
  const url = new URL('v2/', base);
  let authorization: string | undefined;
  let identityToken = '';
  try {
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer) {
      const offline = !credentials.identityToken;
      const request = { challenge: bearer, scopes: [], credentials, registry: base, offline };
      const issued = await abortable(fetchToken(net, request), signal);
      authorization = `Bearer ${issued.token}`;
      identityToken = issued.refreshToken ?? '';
    } else if (challenges.some(({ scheme }) => scheme === 'basic')) {
      const { username, password } = credentials;
      if (!username || !password) throw noBasicCredentials();
      authorization = `Basic ${basic(username, password)}`;
    }
  } catch (thrown) {
    throw atRequest('GET', url, thrown);
  }
  const response = await follow(net, { method: 'GET', url, authorization, signal });
  await response.discard();
  if (response.status === 200) return { status: 'Login Succeeded', identityToken };
  const status = statusLine(response.status);
  const message = `login attempt to ${redactUrl(url)} failed with status: ${status}`;
  if (response.status >= 500) throw new WharfError('unavailable', message);
  const faults = [{ code: 'UNAUTHORIZED', message }];
  throw new RegistryError('unauthorized', message, { status: response.status, faults, from: 'login' });
}
