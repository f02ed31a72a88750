import { join } from 'node:path';
import { errnoCode } from '../base/index.ts';
import type { AuthEntry } from './config-file.ts';
import { fileError, nodeFs } from './files.ts';

/** What the client's `config.json` may say, as far as it is used. */
export interface ClientConfig {
  /** Folder of the file. */
  dir: string;
  psFormat?: string;
  imagesFormat?: string;
  volumesFormat?: string;
  networksFormat?: string;
  statsFormat?: string;
  detachKeys?: string;
  currentContext?: string;
  HttpHeaders?: Record<string, string>;
  auths?: Record<string, AuthEntry>;
  /** Program (`docker-credential-NAME`) that keeps the credentials. */
  credsStore?: string;
  /** Programs by registry. */
  credHelpers?: Record<string, string>;
  proxies?: Record<string, Record<string, string>>;
}

/**
 * Reads `config.json` of a folder; a missing file is an empty one, and so is one that cannot be read, of which `warn`
 * is told.
 */
export function readConfig(dir: string, warn: (text: string) => void): ClientConfig {
  const file = join(dir, 'config.json');
  try {
    const parsed: unknown = JSON.parse(nodeFs().readFileSync(file, 'utf8'));
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
      throw new Error('it is not a JSON object');
    return { ...parsed, dir };
  } catch (thrown) {
    if (errnoCode(thrown) === 'ENOENT' || errnoCode(thrown) === 'ENOTDIR') return { dir };
    const code = errnoCode(thrown);
    const reason =
      code === undefined
        ? String(thrown instanceof Error ? thrown.message : thrown)
        : fileError(file, thrown).message;
    warn(
      code === undefined || code === 'EISDIR'
        ? `WARNING: Error parsing config file (${file}): ${reason}\n`
        : `WARNING: Error loading config file: ${reason}\n`,
    );
    return { dir };
  }
}

/** A context that the user's folder holds. */
export interface StoredContext {
  name: string;
  description: string;
  host: string;
  skipVerify: boolean;
  /** Folder with ca.pem, cert.pem and key.pem. */
  tlsDir: string;
}

interface ContextMeta {
  Name?: string;
  Metadata?: { Description?: string };
  Endpoints?: { docker?: { Host?: string; SkipTLSVerify?: boolean } };
}

/** All contexts of the folder, by name. */
export function storedContexts(dir: string): StoredContext[] {
  const root = join(dir, 'contexts', 'meta');
  let ids: string[];
  try {
    ids = nodeFs().readdirSync(root);
  } catch {
    return [];
  }
  return ids
    .flatMap((id) => readMeta(dir, join(root, id, 'meta.json')))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readMeta(dir: string, file: string): StoredContext[] {
  try {
    const meta = JSON.parse(nodeFs().readFileSync(file, 'utf8')) as ContextMeta;
    const name = meta.Name ?? '';
    const docker = meta.Endpoints?.docker;
    const id = process.getBuiltinModule('node:crypto').hash('sha256', name);
    return [
      {
        name,
        description: meta.Metadata?.Description ?? '',
        host: docker?.Host ?? '',
        skipVerify: docker?.SkipTLSVerify === true,
        tlsDir: join(dir, 'contexts', 'tls', id, 'docker'),
      },
    ];
  } catch {
    return [];
  }
}
