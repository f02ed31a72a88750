import type { AuthConfig } from '../../api/index.ts';
import type { RegistryCredentials } from '../../registry/types.ts';

/** The credentials of a decoded `X-Registry-Auth`; what is empty there is absent here. */
export function registryCredentials(auth: AuthConfig): RegistryCredentials {
  const credentials: RegistryCredentials = {};
  if (auth.username) credentials.username = auth.username;
  if (auth.password) credentials.password = auth.password;
  if (auth.identitytoken) credentials.identityToken = auth.identitytoken;
  if (auth.registrytoken) credentials.registryToken = auth.registrytoken;
  return credentials;
}
