import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';

/** The parts of resolv.conf(5) that containers get. */
export interface ResolverConfig {
  nameservers: string[];
  search: string[];
  options: string[];
}

/** The Engine's fallback when the host has no name server that a container could reach. */
const FALLBACK = ['8.8.8.8', '8.8.4.4'];

/** Where systemd-resolved keeps the servers that stand behind its stub. */
const BEHIND_STUB = '/run/systemd/resolve/resolv.conf';

/** Reads resolv.conf(5): the last `search` or `domain` line counts, options add up, comments are dropped. */
export function parseResolvConf(text: string): ResolverConfig {
  const found: ResolverConfig = { nameservers: [], search: [], options: [] };
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && values[0]) found.nameservers.push(values[0]);
    if (keyword === 'search' || keyword === 'domain') found.search = values.filter((name) => name !== '.');
    if (keyword === 'options') found.options.push(...values);
  }
  return found;
}

/**
 * The host's resolver configuration as a container can use it: loopback servers are left out, since they would mean the
 * container itself; behind systemd's stub stand the real ones. IPv6 servers are kept only when `ipv6` is true.
 */
export function hostResolverConfig(
  read: (path: string) => string | undefined = readText,
  ipv6 = false,
): ResolverConfig {
  let config = parseResolvConf(read('/etc/resolv.conf') ?? '');
  if (config.nameservers.length === 1 && config.nameservers[0] === '127.0.0.53') {
    const behind = read(BEHIND_STUB);
    if (behind !== undefined) config = parseResolvConf(behind);
  }
  const usable = config.nameservers.filter((server) =>
    isIPv4(server) ? !server.startsWith('127.') : ipv6 && server !== '::1',
  );
  return { ...config, nameservers: usable.length > 0 ? usable : [...FALLBACK] };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
