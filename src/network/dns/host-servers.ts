import { type FSWatcher, readFileSync, readlinkSync, watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { parseResolvConf } from './resolver.ts';

/** More links in a row are a loop (path_resolution(7)). */
const MOST_LINKS = 40;

/** The host's name servers, as its resolv.conf has them at any time. */
export interface HostServers {
  list(): readonly string[];
  close(): void;
}

/**
 * Follows a resolv.conf: also when it is replaced by another file, and when it is a link whose target or whose links on the
 * way are. It is read when it is asked for and something happened in one of their folders.
 */
export function followHostServers(path = '/etc/resolv.conf'): HostServers {
  let servers: readonly string[] | undefined;
  let watches: FSWatcher[] = [];
  const unwatch = () => {
    for (const each of watches) each.close();
    watches = [];
  };
  const changed = () => {
    servers = undefined;
  };
  return {
    list() {
      if (servers) return servers;
      unwatch();
      // Watched first, so that a change while it is read is heard of.
      watches = [...linksOf(path).flatMap((file) => watchEntry(file, changed)), ...watchAll(path, changed)];
      servers = readServers(path);
      return servers;
    },
    close: unwatch,
  };
}

/** The file and, where it is a link, what it leads to, step by step. Folders that are links are followed by the kernel. */
function linksOf(path: string): string[] {
  const files = [path];
  try {
    while (files.length < MOST_LINKS) {
      const last = files.at(-1)!;
      files.push(resolve(dirname(last), readlinkSync(last)));
    }
  } catch {
    // The last one is a file, or nothing yet.
  }
  return files;
}

/** Watches for another file of that name. */
function watchEntry(file: string, changed: () => void): FSWatcher[] {
  const name = basename(file);
  return watchAll(dirname(file), (which) => {
    if (which === null || which === name) changed();
  });
}

/** Watches a file or a folder; nothing when it is not there: then only a change of a watched one can bring it about. */
function watchAll(path: string, changed: (which: string | null) => void): FSWatcher[] {
  try {
    const watching = watch(path, { persistent: false }, (_event, which) => changed(which));
    return [watching.on('error', () => changed(null))];
  } catch {
    return [];
  }
}

/** The servers of the file; without any, the local machine's is meant (resolv.conf(5)). */
function readServers(path: string): string[] {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // As good as empty.
  }
  const { nameservers } = parseResolvConf(text);
  return nameservers.length > 0 ? nameservers : ['127.0.0.1'];
}
