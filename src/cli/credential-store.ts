import { isDeepStrictEqual } from 'node:util';
import { WharfError } from '../base/index.ts';
import type { Context } from './command.ts';
import { type AuthEntry, changeConfigFile } from './config-file.ts';
import { nativeStore, onPath } from './credential-program.ts';

/** What a user has for a registry, in the form of the engine's API. */
export interface AuthConfig {
  username?: string;
  password?: string;
  serveraddress?: string;
  identitytoken?: string;
  registrytoken?: string;
}

/** Keeps credentials by the registry's address. */
export interface CredentialStore {
  /** What is kept; nothing but the address where there is none. Throws WharfError when the store fails. */
  get(server: string): AuthConfig;
  /** Keeps them. Gives the name of the file when they now stand in it readable. Throws WharfError. */
  store(auth: AuthConfig & { serveraddress: string }): string | undefined;
  /** Forgets them. Throws WharfError. */
  erase(server: string): void;
}

/** The host of an address: without scheme and path. */
export function registryHost(address: string): string {
  return address.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '';
}

/**
 * Where credentials of a registry are kept: with the program that `credHelpers` names for it, else that of `credsStore`,
 * else in `config.json`. A file without any credentials takes the machine's usual program, when that is installed.
 */
export function credentialStore(context: Context, server: string): CredentialStore {
  const program = programFor(context, server);
  const file = fileStore(context, program?.usual);
  return program ? nativeStore(context.env, program.name, file) : file;
}

interface Program {
  name: string;
  /** Set when it was found rather than configured: then the file shall name it. */
  usual?: string;
}

function programFor(context: Context, server: string): Program | undefined {
  const { credHelpers, credsStore, auths } = context.config();
  const own = credHelpers?.[server];
  if (own) return { name: own };
  if (credsStore) return { name: credsStore };
  if (Object.keys(credHelpers ?? {}).length > 0 || Object.keys(auths ?? {}).length > 0) return undefined;
  const usual = onPath(context.env, 'pass') ? 'pass' : 'secretservice';
  return onPath(context.env, `docker-credential-${usual}`) ? { name: usual, usual } : undefined;
}

function fileStore(context: Context, usual: string | undefined): CredentialStore {
  const { dir } = context.config();
  const change = (work: (auths: Record<string, unknown>) => void) => {
    changeConfigFile(dir, (config) => {
      const auths = isObject(config['auths']) ? { ...config['auths'] } : {};
      work(auths);
      config['auths'] = Object.fromEntries(Object.entries(auths).sort(([a], [b]) => (a < b ? -1 : 1)));
      if (usual !== undefined) config['credsStore'] ??= usual;
      context.config().auths = config['auths'] as Record<string, AuthEntry>;
    });
  };
  const stored = () => (isObject(context.config().auths) ? context.config().auths : undefined) ?? {};
  return {
    get(server) {
      const all = stored();
      const key = server in all ? server : Object.keys(all).find((each) => registryHost(each) === server);
      const entry = key === undefined ? undefined : all[key];
      return isObject(entry) ? { ...decoded(entry), serveraddress: key ?? server } : {};
    },
    store(auth) {
      const server = auth.serveraddress;
      const before = stored()[server];
      const entry = encoded(auth, isObject(before) ? before : {});
      if (isDeepStrictEqual(before, entry)) return undefined;
      change((auths) => {
        auths[server] = entry;
      });
      return auth.password ? `${dir}/config.json` : undefined;
    },
    erase(server) {
      change((auths) => {
        delete auths[server];
      });
    },
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function decoded(entry: AuthEntry): AuthConfig {
  const tokens = {
    ...(entry.identitytoken ? { identitytoken: entry.identitytoken } : {}),
    ...(entry.registrytoken ? { registrytoken: entry.registrytoken } : {}),
  };
  if (!entry.auth)
    return {
      ...(entry.username ? { username: entry.username } : {}),
      ...(entry.password ? { password: entry.password } : {}),
      ...tokens,
    };
  const text = Buffer.from(String(entry.auth), 'base64').toString();
  const colon = text.indexOf(':');
  if (colon <= 0) throw new WharfError('invalid', 'invalid auth configuration file');
  const password = text.slice(colon + 1).replace(/^\0+|\0+$/g, '');
  return { username: text.slice(0, colon), ...(password ? { password } : {}), ...tokens };
}

/** The entry of the file; what it held beside credentials stays. */
function encoded(auth: AuthConfig, before: AuthEntry): AuthEntry {
  const { auth: _auth, username: _name, password: _word, identitytoken: _token, ...rest } = before;
  const pair = auth.username || auth.password ? `${auth.username ?? ''}:${auth.password ?? ''}` : '';
  return {
    ...(pair ? { auth: Buffer.from(pair).toString('base64') } : {}),
    ...rest,
    ...(auth.identitytoken ? { identitytoken: auth.identitytoken } : {}),
  };
}
