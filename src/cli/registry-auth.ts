import type { Context } from './command.ts';

/** The address under which the default registry's credentials are kept. */
export const DEFAULT_REGISTRY = 'https://index.docker.io/v1/';

/** The header with the credentials for an image's registry; none when the user did not log in. */
export function registryAuth(context: Context, repository: string): Record<string, string> {
  const slash = repository.indexOf('/');
  const first = slash < 0 ? '' : repository.slice(0, slash);
  const server = /[.:]/.test(first) || first === 'localhost' ? first : DEFAULT_REGISTRY;
  const stored = context.config().auths?.[server];
  if (!stored) return {};
  const [username = '', ...rest] = Buffer.from(stored.auth ?? '', 'base64')
    .toString()
    .split(':');
  const auth = {
    username,
    password: rest.join(':'),
    serveraddress: server,
    ...(stored.identitytoken ? { identitytoken: stored.identitytoken } : {}),
  };
  return { 'X-Registry-Auth': Buffer.from(JSON.stringify(auth)).toString('base64url') };
}
