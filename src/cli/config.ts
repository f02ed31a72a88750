import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, WharfError } from '../base/index.ts';

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
  auths?: Record<string, { auth?: string; identitytoken?: string }>;
  proxies?: Record<string, Record<string, string>>;
}

/** Reads `config.json` of a folder; a missing file is an empty one. Throws `invalid` when it is not JSON. */
export function readConfig(dir: string): ClientConfig {
  const file = join(dir, 'config.json');
  try {
    return { ...(JSON.parse(readFileSync(file, 'utf8')) as Omit<ClientConfig, 'dir'>), dir };
  } catch (thrown) {
    if (errnoCode(thrown) === 'ENOENT' || errnoCode(thrown) === 'ENOTDIR') return { dir };
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new WharfError('invalid', `loading config file: ${file}: ${reason}`, { cause: thrown });
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
    ids = readdirSync(root);
  } catch {
    return [];
  }
  return ids
    .flatMap((id) => readMeta(dir, join(root, id, 'meta.json')))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readMeta(dir: string, file: string): StoredContext[] {
  try {
    const meta = JSON.parse(readFileSync(file, 'utf8')) as ContextMeta;
    const name = meta.Name ?? '';
    const docker = meta.Endpoints?.docker;
    const id = createHash('sha256').update(name).digest('hex');
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
