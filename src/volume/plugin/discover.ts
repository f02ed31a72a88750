import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { WharfError } from '../../base/index.ts';
import { readFileInRoot } from '../../sys/index.ts';

/** Where plugins make themselves known (Docker's plugin API, "Plugin discovery"). */
export interface PluginFolders {
  /** `NAME.sock` or `NAME/NAME.sock`. */
  sockets: readonly string[];
  /** `NAME.spec`, `NAME.json`, or the same in a folder `NAME`. */
  specs: readonly string[];
}

/** Docker's own folders. */
export const SYSTEM_PLUGIN_FOLDERS: PluginFolders = {
  sockets: ['/run/docker/plugins'],
  specs: ['/etc/docker/plugins', '/usr/lib/docker/plugins'],
};

/** How a plugin is reached. */
export type PluginAddress =
  | { socketPath: string }
  | { host: string; port: number; tls?: { ca?: Buffer; cert?: Buffer; key?: Buffer; insecure: boolean } };

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const MAX_SPEC_BYTES = 64 << 10;
const MAX_CERTIFICATE_BYTES = 1 << 20;

/** Where that plugin listens; undefined when it has no socket and no description. Errors: `invalid` description. */
export function findPlugin(folders: PluginFolders, name: string): PluginAddress | undefined {
  if (!NAME.test(name)) return undefined;
  for (const folder of folders.sockets) {
    for (const file of [`${name}.sock`, `${name}/${name}.sock`]) {
      const socketPath = join(folder, file);
      if (statSync(socketPath, { throwIfNoEntry: false })?.isSocket()) return { socketPath };
    }
  }
  for (const folder of folders.specs) {
    for (const stem of [name, `${name}/${name}`]) {
      const spec = read(folder, `${stem}.spec`);
      if (spec !== undefined) return parseAddress(name, spec.toString().trim());
      const json = read(folder, `${stem}.json`);
      if (json !== undefined) return parseDescription(name, json.toString());
    }
  }
  return undefined;
}

/** Names of all plugins that are described or have a socket. */
export function pluginNames(folders: PluginFolders): string[] {
  const names = new Set<string>();
  for (const folder of [...folders.sockets, ...folders.specs]) {
    for (const entry of entries(folder)) {
      const name = entry.replace(/\.(sock|spec|json)$/, '');
      if (NAME.test(name) && reachable(folders, name)) names.add(name);
    }
  }
  return [...names].sort();
}

function reachable(folders: PluginFolders, name: string): boolean {
  try {
    return findPlugin(folders, name) !== undefined;
  } catch {
    // A description that can't be read tells its fault to who asks for the plugin.
    return false;
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Most hosts have none of these folders.
    return [];
  }
}

function read(folder: string, file: string): Buffer | undefined {
  if (!statSync(folder, { throwIfNoEntry: false })) return undefined;
  try {
    return readFileInRoot(folder, file, MAX_SPEC_BYTES);
  } catch (thrown) {
    throw new WharfError(
      'invalid',
      `plugin description ${join(folder, file)}: ${WharfError.from(thrown).message}`,
    );
  }
}

function refuse(name: string, why: string): never {
  throw new WharfError('invalid', `plugin "${name}": ${why}`);
}

function parseAddress(name: string, text: string): PluginAddress {
  if (text.startsWith('unix://')) {
    const socketPath = text.slice('unix://'.length);
    return socketPath.startsWith('/') ? { socketPath } : refuse(name, `not an absolute socket path: ${text}`);
  }
  let url: URL | undefined;
  try {
    url = new URL(text.replace(/^tcp:/, 'http:'));
  } catch {
    // Said below, with what is wrong.
  }
  if (!url?.hostname || !['http:', 'https:'].includes(url.protocol))
    refuse(name, `not a plugin's address: ${text}`);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const encrypted = url.protocol === 'https:';
  const port = Number(url.port) || (encrypted ? 443 : 80);
  return { host, port, ...(encrypted ? { tls: { insecure: false } } : {}) };
}

function parseDescription(name: string, text: string): PluginAddress {
  const document = parseObject(name, text);
  const address = parseAddress(name, typeof document['Addr'] === 'string' ? document['Addr'] : '');
  const tls = document['TLSConfig'];
  if (typeof tls !== 'object' || tls === null || 'socketPath' in address) return address;
  const config = tls as Record<string, unknown>;
  return {
    ...address,
    tls: {
      insecure: config['InsecureSkipVerify'] === true,
      ...certificate(name, 'ca', config['CAFile']),
      ...certificate(name, 'cert', config['CertFile']),
      ...certificate(name, 'key', config['KeyFile']),
    },
  };
}

function parseObject(name: string, text: string): Record<string, unknown> {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document === 'object' && document !== null) return document as Record<string, unknown>;
  } catch {
    // Said below.
  }
  return refuse(name, 'its description is no JSON object');
}

function certificate(name: string, field: 'ca' | 'cert' | 'key', path: unknown): Record<string, Buffer> {
  if (typeof path !== 'string' || path === '') return {};
  const bytes = readFileInRoot('/', path, MAX_CERTIFICATE_BYTES);
  return bytes ? { [field]: bytes } : refuse(name, `${path}: no such file`);
}
