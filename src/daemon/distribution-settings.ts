import { WharfError } from '../base/index.ts';
import type { ValueReader } from './value-reader.ts';

/** How images come and go. All of it may change while the daemon runs. */
export interface DistributionSettings {
  /** Hosts, `host:port` or CIDR. */
  insecure: string[];
  /** Base URLs by domain; `*` for every one. */
  mirrors: Map<string, string[]>;
  proxy: { http?: string; https?: string; no?: string };
  maxDownloads: number;
  maxUploads: number;
  attempts: number;
  /** Seconds without a byte after which a connection counts as stalled. */
  stallTimeout: number;
}

/** Proxies by the usual variables; used for what no option names. */
export type ProxyEnvironment = DistributionSettings['proxy'];

/** Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, or the same in lower case, which come second as in dockerd. */
export function proxyEnvironment(env: NodeJS.ProcessEnv): ProxyEnvironment {
  const read = (name: string) => env[name] || env[name.toLowerCase()];
  const [http, https, no] = [read('HTTP_PROXY'), read('HTTPS_PROXY'), read('NO_PROXY')];
  return { ...(http ? { http } : {}), ...(https ? { https } : {}), ...(no ? { no } : {}) };
}

/** Reads the options about registries. Errors: `invalid`. */
export function distributionSettings(read: ValueReader, proxyEnv: ProxyEnvironment): DistributionSettings {
  return {
    insecure: read.list('insecure-registry', []).map(checkInsecure),
    mirrors: mirrors(read.list('registry-mirror', [])),
    proxy: { ...proxyEnv, ...proxies(read) },
    maxDownloads: positive(read, 'max-concurrent-downloads', 3),
    maxUploads: positive(read, 'max-concurrent-uploads', 5),
    attempts: positive(read, 'max-download-attempts', 5),
    stallTimeout: positive(read, 'registry-stall-timeout', 60),
  };
}

function positive(read: ValueReader, flag: string, fallback: number): number {
  const value = read.number(flag, fallback);
  if (value > 0) return value;
  throw new WharfError('invalid', `${flag} takes a number of at least 1: ${value}`);
}

function checkInsecure(text: string): string {
  const bare = text.replace(/^https?:\/\//, '');
  if (bare !== '' && !/[\s@?#]/.test(bare) && (!bare.includes('/') || /\/\d{1,3}$/.test(bare))) return bare;
  throw new WharfError('invalid', `insecure-registry takes a host, host:port or CIDR: "${text}"`);
}

/** `URL` is a mirror of docker.io, as in dockerd; `registry=URL` of that registry; `*=URL` of all. */
function mirrors(entries: string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const entry of entries) {
    const [, domain = 'docker.io', url = ''] = /^(?:([^=/]+)=)?(.*)$/.exec(entry) ?? [];
    const list = found.get(domain) ?? [];
    list.push(mirrorUrl(entry, url));
    found.set(domain, list);
  }
  return found;
}

function mirrorUrl(entry: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain =
    url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash;
  if (plain) return text.replace(/\/+$/, '');
  throw new WharfError(
    'invalid',
    `registry-mirror takes [registry=]http(s)://host[:port][/path], without credentials: "${entry.replace(/\/\/[^/]*@/, '//***@')}"`,
  );
}

function proxies(read: ValueReader): DistributionSettings['proxy'] {
  const http = read.optional('http-proxy');
  const https = read.optional('https-proxy');
  const no = read.optional('no-proxy');
  for (const [flag, value] of [
    ['http-proxy', http],
    ['https-proxy', https],
  ]) {
    const scheme = value !== undefined && URL.canParse(value) ? new URL(value).protocol : '';
    if (value !== undefined && !/^https?:$/.test(scheme))
      throw new WharfError('invalid', `${flag} takes an http:// or https:// URL`);
  }
  return { ...(http ? { http } : {}), ...(https ? { https } : {}), ...(no ? { no } : {}) };
}
