import type { Context } from './command.ts';
import { DEFAULT_REGISTRY, hasCredentials, registryOf } from './registry-auth.ts';
import { safeText } from './sanitize.ts';

/**
 * What a user may do about an error. For terminals only: what scripts read stays as it is. `names` are the command's
 * operands, the first of which names the image. Undefined when there is nothing to say.
 */
export async function hintFor(
  context: Context,
  names: readonly string[],
  message: string,
): Promise<string | undefined> {
  if (message.includes('server gave HTTP response to HTTPS client')) {
    const host = /"https:\/\/([^/"]+)/.exec(message)?.[1];
    return host === undefined ? undefined : plainHttp(safeText(host));
  }
  if (!message.includes('denied: requested access to the resource is denied')) return undefined;
  const server = registryOf(names[0] ?? '');
  if (await hasCredentials(context, server)) return undefined;
  return `Hint: you are not logged in: ${context.program} login${server === DEFAULT_REGISTRY ? '' : ` ${safeText(server)}`}`;
}

const plainHttp = (host: string) =>
  `Hint: if ${host} is to be reached by plain HTTP, put "insecure-registries": ["${host}"] into the daemon's daemon.json and\n` +
  'have it read again: kill -HUP $(cat /run/wharf/wharfd.pid), or restart the daemon';
