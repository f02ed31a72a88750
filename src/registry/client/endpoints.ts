import { BlockList, isIP, isIPv6 } from 'node:net';
import { WharfError } from '../../base/index.ts';

/** Where Docker Hub's registry answers. */
const HUB = 'https://registry-1.docker.io';
const HUB_NAMES = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** The hosts for which TLS is not verified and plain HTTP is allowed. */
export interface InsecureHosts {
  /** Host with or without a port, as in a URL: `[::1]:5000`. */
  has(host: string): boolean;
}

/**
 * Reads a list of `host`, `host:port` and CIDR. Loopback addresses and `localhost` are always in it, as with Docker. A
 * name is compared as it is and never resolved: whoever answers for it in the DNS must not decide about TLS.
 */
export function insecureHosts(entries: readonly string[]): InsecureHosts {
  const names = new Set(['localhost']);
  const ranges = new BlockList();
  ranges.addSubnet('127.0.0.0', 8, 'ipv4');
  ranges.addAddress('::1', 'ipv6');
  for (const entry of entries) {
    const [, address, prefix] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
    if (address === undefined) names.add(entry.toLowerCase());
    else ranges.addSubnet(address, Number(prefix), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  return {
    has(host) {
      const lower = host.toLowerCase();
      const { hostname } = new URL(`http://${lower}`);
      const bare = hostname.replace(/^\[|\]$/g, '');
      if (names.has(lower) || names.has(hostname) || names.has(bare)) return true;
      const version = isIP(bare);
      return version !== 0 && ranges.check(bare, version === 6 ? 'ipv6' : 'ipv4');
    },
  };
}

/** One address under which a registry, or a mirror of it, may answer. */
export interface Candidate {
  /** With a trailing slash, before `v2/`. */
  base: URL;
}

/** The addresses of a domain's own registry in the order in which they are tried: HTTP only where it is allowed. */
export function ownCandidates(domain: string, insecure: InsecureHosts): Candidate[] {
  if (HUB_NAMES.has(domain)) return [{ base: new URL('/', HUB) }];
  const https = { base: parseBase(`https://${domain}/`) };
  return insecure.has(domain) ? [https, { base: parseBase(`http://${domain}/`) }] : [https];
}

/** The base URLs of a domain's mirrors, best first: those of the domain, then those of every one. */
export function mirrorsOf(domain: string, mirrors: ReadonlyMap<string, readonly string[]>): string[] {
  return [...(mirrors.get(domain) ?? []), ...(mirrors.get('*') ?? [])];
}

/** A base URL with a trailing slash and without `v2/`. Errors: `invalid`. */
export function parseBase(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash)
    throw new WharfError('invalid', `invalid registry address ${JSON.stringify(text)}`);
  url.pathname = `${url.pathname.replace(/\/+$/, '').replace(/\/v2$/, '')}/`;
  return url;
}

/** The domain of what a user gives to `login`: a host, or a URL with any path. Docker Hub's names all become `docker.io`. */
export function loginDomain(server: string): string {
  const host = server.replace(/^https?:\/\//, '').replace(/\/.*$/s, '');
  if (host === '' || HUB_NAMES.has(host)) return 'docker.io';
  if (!URL.canParse(`https://${host}/`) || /[@\s?#\\]/.test(host))
    throw new WharfError('invalid', `invalid registry address ${JSON.stringify(server)}`);
  return host;
}

/** Where Docker Hub is searched; undefined for other domains, which are searched where they are. */
export function hubSearchBase(domain: string): URL | undefined {
  return HUB_NAMES.has(domain) ? new URL('https://index.docker.io/') : undefined;
}
