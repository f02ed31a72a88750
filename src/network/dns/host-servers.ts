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
 * way are. It is read when it is asked for and something happened in one of their folders; every time while one of those
 * cannot be watched (it is not there yet, as systemd-resolved's before its start).
 */
export function followHostServers(path = '/etc/resolv.conf'): HostServers {
  let servers: readonly string[] | undefined;
  let watches: (FSWatcher | undefined)[] = [];
  const unwatch = () => {
    for (const each of watches) each?.close();
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
      const folders = linksOf(path).map((file) => watchEntry(file, changed));
      // Of a file that is mounted there, its own folder hears nothing.
      watches = [...folders, tryWatch(path, changed)];
      const read = readServers(path);
      if (!folders.includes(undefined)) servers = read;
      return read;
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

/** Watches for another file of that name, and for the end of the folder, which is told by the folder's own name. */
function watchEntry(file: string, changed: () => void): FSWatcher | undefined {
  const folder = dirname(file);
  const names: (string | null)[] = [null, basename(file), basename(folder)];
  return tryWatch(folder, (which) => {
    if (names.includes(which)) changed();
  });
}

/** Watches a file or a folder; undefined when it is not there, or no watch is left. */
function tryWatch(path: string, changed: (which: string | null) => void): FSWatcher | undefined {
  try {
    const watching = watch(path, { persistent: false }, (_event, which) => changed(which));
    return watching.on('error', () => changed(null));
  } catch {
    return undefined;
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
