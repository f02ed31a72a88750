import type { AuthConfig } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { registryCredentials } from './credentials.ts';
import { asReference } from './reference-kind.ts';
import type { DistributionDeps } from './types.ts';

/** The registry that is meant when a login names none. */
const DEFAULT_SERVER = 'https://index.docker.io/v1/';

/**
 * `POST /auth`: checks credentials with a registry; nothing is kept. `serveraddress` may be a host, with port, scheme and
 * path, or empty for Docker Hub. Errors: `invalid` address; `unauthorized` where a token service refuses; `internal`, as in
 * the reference, where the registry itself does.
 */
export async function checkCredentials(
  deps: Pick<DistributionDeps, 'registries'>,
  auth: AuthConfig,
  signal: AbortSignal,
): Promise<{ IdentityToken: string; Status: string }> {
  const server = auth.serveraddress || DEFAULT_SERVER;
  refuseAddress(server);
  const credentials = registryCredentials(auth);
  const { status, identityToken } = await asReference(() =>
    deps.registries().login(server, credentials, signal),
  );
  return { IdentityToken: identityToken, Status: status };
}

/** Go's `url.Parse` refuses these hosts, and its words reach the client. */
function refuseAddress(server: string): void {
  const url = /^https?:\/\//.test(server) ? server : `https://${server}`;
  const host = /^https?:\/\/([^/?#]*)/.exec(url)?.[1] ?? '';
  const bad = /[^A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"%@\u0080-\uffff]/.exec(host)?.[0];
  if (bad === undefined) return;
  const quoted = JSON.stringify(url);
  throw new WharfError(
    'invalid',
    `unable to parse server address: parse ${quoted}: invalid character ${JSON.stringify(bad)} in host name`,
  );
}
