import type { SystemInfo } from '../../api/index.ts';

/** What `info` says of how registries are reached. */
export interface RegistryFacts {
  /** Hosts, `host:port` or CIDR. */
  insecure: readonly string[];
  /** Base URLs by domain. */
  mirrors: ReadonlyMap<string, readonly string[]>;
  proxy: { http?: string; https?: string; no?: string };
}

/** Loopback addresses count as insecure without being named, as in Docker. */
const LOOPBACK = ['::1/128', '127.0.0.0/8'];
const HUB = 'docker.io';

/** The fields about registries and proxies (Engine API, `SystemInfo.RegistryConfig`); credentials of proxies are masked. */
export function registryFields(facts: RegistryFacts): Partial<SystemInfo> {
  const isRange = (entry: string) => /\/\d+$/.test(entry);
  const mirrors = (domain: string) => (facts.mirrors.get(domain) ?? []).map((url) => `${url}/`);
  const domains = new Set([...facts.insecure.filter((entry) => !isRange(entry)), ...facts.mirrors.keys()]);
  domains.delete(HUB);
  const entry = (name: string) => ({
    Name: name,
    Mirrors: mirrors(name),
    Secure: !facts.insecure.includes(name),
    Official: name === HUB,
  });
  return {
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: {
      IndexConfigs: Object.fromEntries([HUB, ...domains].map((name) => [name, entry(name)])),
      InsecureRegistryCIDRs: [...LOOPBACK, ...facts.insecure.filter(isRange)],
      // Go's null where there are none.
      Mirrors: facts.mirrors.has(HUB) ? mirrors(HUB) : (null as unknown as string[]),
    },
    HttpProxy: masked(facts.proxy.http),
    HttpsProxy: masked(facts.proxy.https),
    NoProxy: facts.proxy.no ?? '',
  };
}

function masked(url: string | undefined): string {
  return (url ?? '').replace(/\/\/[^/@]*@/, '//xxxxx:xxxxx@');
}
