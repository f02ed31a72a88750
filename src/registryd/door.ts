import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '../base/index.ts';
import {
  FilePolicy,
  type Gatekeeper,
  type Grant,
  HtpasswdUsers,
  openGatekeeper,
  openTokenKey,
  type Refusal,
  USERS_POLICY,
  UserGatekeeper,
} from '../registry/server/index.ts';
import type { RegistryCredentials } from '../registry/types.ts';
import { isLoopback, type RegistrySettings } from './settings.ts';

/** Stands in tokens and challenges. */
const SERVICE = 'wharf-registry';

/** How users come in: through sockets, and from within this process. */
export interface Door extends Disposable {
  readonly gatekeeper: Gatekeeper;
  /** Rights of credentials. Errors: `unauthorized`, `rate-limited` after too many wrong passwords. */
  grantFor(credentials: RegistryCredentials): Promise<Grant>;
}

/** Opens what the settings name. Errors: `invalid` for files of users and rights that can't be used. */
export function openDoor(settings: RegistrySettings, root: string, log: Logger): Door {
  if (settings.htpasswd === undefined) return openToAll(settings);
  const users = new HtpasswdUsers(settings.htpasswd, log);
  try {
    const gatekeeper = new UserGatekeeper({
      users,
      policy: settings.access === undefined ? USERS_POLICY : new FilePolicy(settings.access, log),
      key: openTokenKey(join(root, 'token-key')),
      service: SERVICE,
      ...(settings.externalUrl !== undefined && { externalUrl: settings.externalUrl }),
    });
    return {
      gatekeeper,
      grantFor: (credentials) => gatekeeper.grantFor(credentials),
      [Symbol.dispose]: () => users[Symbol.dispose](),
    };
  } catch (thrown) {
    users[Symbol.dispose]();
    throw thrown;
  }
}

/**
 * Everybody may do everything. Where only this machine reaches the registry, a web page that a browser here shows must not:
 * it comes by a name of its own (DNS rebinding), so only names are answered that no stranger can point here; or it sends
 * here what a form may send anywhere (a POST begins an upload), and then the browser says where it is from.
 */
function openToAll({ externalUrl, listen }: RegistrySettings): Door {
  const open = openGatekeeper();
  const guarded = listen.every(({ host }) => isLoopback(host));
  const external = externalUrl === undefined ? undefined : new URL(externalUrl).hostname;
  const gatekeeper: Gatekeeper = {
    authorize(request, needs) {
      const { host, origin } = request.headers;
      const name = host === undefined ? undefined : hostOf(host);
      if (guarded && origin !== undefined && origin.replace(/^https?:\/\//, '') !== host) return OTHER_SITE;
      if (!guarded || name === undefined || name === external || isOwnName(name))
        return open.authorize(request, needs);
      return unknownName(name);
    },
  };
  const grant: Grant = { user: undefined, allows: () => true };
  return { gatekeeper, grantFor: () => Promise.resolve(grant), [Symbol.dispose]() {} };
}

const hostOf = (host: string) =>
  host
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();

/** Addresses, `localhost`, this machine's name, and names without a dot, which only its own network resolves. */
function isOwnName(name: string): boolean {
  if (isIP(name) !== 0 || !name.includes('.')) return true;
  return name.endsWith('.localhost') || name === hostname().toLowerCase();
}

const OTHER_SITE: Refusal = {
  user: undefined,
  status: 403,
  code: 'DENIED',
  message: 'this registry is open to all and takes nothing from web pages of other sites',
};

function unknownName(name: string): Refusal {
  return {
    user: undefined,
    status: 403,
    code: 'DENIED',
    message: `this registry is open to all and does not answer by the name ${JSON.stringify(name)}: start it with external-url set to that name, or with users`,
  };
}
