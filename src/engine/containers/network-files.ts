import { writeFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { shortId, span, WharfError } from '../../base/index.ts';
import type { NetworkStack, SandboxRecord } from '../../network/types.ts';
import { splitExtraHost } from './check-host-config.ts';
import { type NetworkFilePaths, networkFilePaths } from './container-paths.ts';
import { parseLink } from './links.ts';
import { modeContainer } from './modes.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerStore } from './store.ts';

export interface NetworkFileDeps {
  dataRoot: string;
  store: Pick<ContainerStore, 'get' | 'resolve'>;
  networks: Pick<NetworkStack, 'hostGateway' | 'resolverConfig' | 'sandbox'>;
}

const LOCAL_NAMES = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

/**
 * Writes a container's hosts, hostname and resolv.conf for the sandbox it is about to start in, and returns their paths
 * on the host. A container that shares another's network gets the other's files and (on the record, not yet saved) its
 * hostname. The files are made anew at each start, as Docker does for hosts and hostname; a resolv.conf that was edited
 * is not kept. Errors: `invalid` when `host-gateway` has no address, `conflict` when the other container is gone.
 */
export function writeNetworkFiles(
  deps: NetworkFileDeps,
  record: ContainerRecord,
  sandbox: SandboxRecord | undefined,
): NetworkFilePaths {
  using _ = span('files', record.id);
  const target = modeContainer(record.hostConfig.NetworkMode);
  if (target !== undefined) {
    const owner = deps.store.resolve(target);
    record.config.Hostname = owner.config.Hostname ?? '';
    record.config.Domainname = owner.config.Domainname ?? '';
    return networkFilePaths(deps.dataRoot, owner.id);
  }
  const paths = networkFilePaths(deps.dataRoot, record.id);
  writeFileSync(paths.hostname, `${record.config.Hostname ?? ''}\n`, { mode: 0o644 });
  writeFileSync(paths.hosts, hostsContent(deps, record, sandbox), { mode: 0o644 });
  writeFileSync(paths.resolvConf, resolvConfContent(deps.networks.resolverConfig(), record), { mode: 0o644 });
  return paths;
}

/** The text of a container's /etc/hosts. */
export function hostsContent(
  deps: Pick<NetworkFileDeps, 'networks' | 'store'>,
  record: ContainerRecord,
  sandbox: SandboxRecord | undefined,
): string {
  const mode = record.hostConfig.NetworkMode ?? 'bridge';
  const lines = [...LOCAL_NAMES];
  for (const entry of record.hostConfig.ExtraHosts ?? []) {
    const { name, address } = splitExtraHost(entry);
    lines.push(`${address === 'host-gateway' ? gatewayAddress(deps, mode) : address}\t${name}`);
  }
  lines.push(...linkLines(deps, record));
  const names = hostNames(record);
  for (const endpoint of sandbox?.endpoints ?? []) {
    if (endpoint.ipv4) lines.push(`${endpoint.ipv4}\t${names}`);
    if (endpoint.ipv6) lines.push(`${endpoint.ipv6}\t${names}`);
  }
  return `${lines.join('\n')}\n`;
}

function gatewayAddress(deps: Pick<NetworkFileDeps, 'networks'>, mode: string): string {
  // `host` and `none` have no bridge of their own: the default one's address reaches the host.
  const address = deps.networks.hostGateway(mode === 'host' || mode === 'none' ? 'bridge' : mode);
  if (address) return address;
  throw new WharfError('invalid', 'unable to derive the IP value for host-gateway');
}

function hostNames(record: ContainerRecord): string {
  const { Hostname: hostname = '', Domainname: domain = '' } = record.config;
  if (domain !== '') return `${hostname}.${domain} ${hostname}`;
  const dot = hostname.indexOf('.');
  return dot > 0 ? `${hostname} ${hostname.slice(0, dot)}` : hostname;
}

function linkLines(deps: Pick<NetworkFileDeps, 'networks' | 'store'>, record: ContainerRecord): string[] {
  return (record.hostConfig.Links ?? []).flatMap((link) => {
    const parsed = parseLink(link);
    const target = parsed && deps.store.resolve(parsed.ref);
    const address = target?.sandboxId && deps.networks.sandbox(target.sandboxId)?.endpoints[0]?.ipv4;
    if (!parsed || !target || !address) {
      throw new WharfError('conflict', `Cannot link to a non running container: ${link} AS ${record.name}`);
    }
    return [`${address}\t${parsed.alias} ${target.config.Hostname ?? shortId(target.id)} ${target.name}`];
  });
}

/** The text of a container's /etc/resolv.conf: the request's settings over the host's. */
export function resolvConfContent(
  host: ReturnType<NetworkStack['resolverConfig']>,
  record: ContainerRecord,
): string {
  const { Dns = [], DnsSearch = [], DnsOptions = [] } = record.hostConfig;
  const overrides = [
    ...(Dns.length ? ['nameservers'] : []),
    ...(DnsSearch.length ? ['search'] : []),
    ...(DnsOptions.length ? ['options'] : []),
  ];
  const nameservers = Dns.length ? Dns : host.nameservers;
  // A single dot is how a client asks for no search list at all.
  const search = DnsSearch.length ? DnsSearch.filter((domain) => domain !== '.') : host.search;
  const options = DnsOptions.length ? DnsOptions : host.options;
  const lines = [
    '# Generated by Wharf.',
    '# This file can be edited; it is made anew when the container starts.',
    '',
    ...nameservers.map((address) => `nameserver ${oneWord(address)}`),
    ...(search.length ? [`search ${search.map(oneWord).join(' ')}`] : []),
    ...(options.length ? [`options ${options.map(oneWord).join(' ')}`] : []),
    '',
    "# Based on host file: '/etc/resolv.conf'",
    `# Overrides: [${overrides.join(' ')}]`,
  ];
  return `${lines.join('\n')}\n`;
}

/** A value that can't start another line or word of the file. */
function oneWord(text: string): string {
  return isIPv6(text) ? text : text.replace(/\s+/g, '');
}
