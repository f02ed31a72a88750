import { BlockList, isIP } from 'node:net';
import { WharfError } from '../../base/index.ts';
import type { RegistryHosts } from './types.ts';

/**
 * The proxy by which an address is reached, or undefined. Loopback is never reached by a proxy. NO_PROXY is read as Go
 * programs do: `*`, addresses, CIDR, and domains that count with all below them, each perhaps with a port.
 */
export function proxyFor(url: URL, proxy: RegistryHosts['proxy']): URL | undefined {
  const text = url.protocol === 'https:' ? proxy.https : proxy.http;
  if (!text || isExempt(url, proxy.no ?? '')) return undefined;
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const parsed = URL.canParse(full) ? new URL(full) : undefined;
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:')
    throw new WharfError('invalid', 'the proxy address must be an http:// or https:// URL');
  return parsed;
}

function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (host === 'localhost' || host === '::1' || /^127\./.test(host)) return true;
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const version = isIP(host);
  const [, address, prefix] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (address !== undefined) {
    if (version === 0 || isIP(address) !== version) return false;
    const range = new BlockList();
    range.addSubnet(address, Number(prefix), version === 6 ? 'ipv6' : 'ipv4');
    return range.check(host, version === 6 ? 'ipv6' : 'ipv4');
  }
  const [, bare = entry, wanted] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
  if (wanted !== undefined && wanted !== port) return false;
  const name = bare.replace(/^\[|\]$/g, '').replace(/^\*(?=\.)/, '');
  if (name === host) return true;
  if (version !== 0) return false;
  return host.endsWith(name.startsWith('.') ? name : `.${name}`);
}
