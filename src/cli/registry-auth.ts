import type { RegistryCredentials } from '../registry/types.ts';
import type { Context } from './command.ts';

/** The address under which the default registry's credentials are kept. */
export const DEFAULT_REGISTRY = 'https://index.docker.io/v1/';

/** The address under which the credentials of an image's registry are kept. */
export function registryOf(name: string): string {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const named = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  return !named || first === 'docker.io' || first === 'index.docker.io' ? DEFAULT_REGISTRY : first;
}

/** The header with the credentials for an image's registry; none when the user did not log in. */
export async function registryAuth(context: Context, name: string): Promise<Record<string, string>> {
  const auth = await authFor(context, registryOf(name));
  if (auth === undefined) return {};
  return { 'X-Registry-Auth': authHeader(auth) };
}

/** The value of `X-Registry-Auth`: base64 with the alphabet for URLs, padded. Source: Engine API, "Authentication". */
function authHeader(auth: object): string {
  return Buffer.from(JSON.stringify(auth)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** The credentials for a registry, for a client of registries. */
export async function registryCredentials(context: Context, name: string): Promise<RegistryCredentials> {
  const auth = await authFor(context, registryOf(name));
  return {
    ...(auth?.username ? { username: auth.username } : {}),
    ...(auth?.password ? { password: auth.password } : {}),
    ...(auth?.identitytoken ? { identityToken: auth.identitytoken } : {}),
    ...(auth?.registrytoken ? { registryToken: auth.registrytoken } : {}),
  };
}

/** Whether something is kept to log in to a registry with. */
export async function hasCredentials(context: Context, server: string): Promise<boolean> {
  return (await authFor(context, server)) !== undefined;
}

/** What is kept for a registry. A store that fails counts as one that has nothing, as with Docker's client. */
async function authFor(context: Context, server: string) {
  const { credentialStore } = await import('./credential-store.ts');
  try {
    const auth = credentialStore(context, server).get(server);
    return auth.username || auth.password || auth.identitytoken || auth.registrytoken ? auth : undefined;
  } catch {
    return undefined;
  }
}
