import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { isIP, isIPv6 } from 'node:net';
import { shortId, span, WharfError } from '../../base/index.ts';
import type { NetworkStack, SandboxRecord } from '../../network/types.ts';
import { splitExtraHost } from './check-host-config.ts';
import { type NetworkFilePaths, networkFilePaths } from './container-paths.ts';
import { linkAddresses, linksOf } from './links.ts';
import type { LiveContainers } from './live.ts';
import { modeContainer } from './modes.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerStore } from './store.ts';

export interface NetworkFileDeps {
  dataRoot: string;
  store: Pick<ContainerStore, 'get' | 'resolve'>;
  networks: Pick<NetworkStack, 'hostGateway' | 'resolverConfig' | 'sandbox'>;
}

/** A container may have written anything into its files; what is larger is made anew. */
const MAX_KEPT_BYTES = 1024 * 1024;
/** Where the embedded name server answers. */
const NAME_SERVER = '127.0.0.11';

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
 * is not kept. Errors: `invalid` when `host-gateway` has no address, `conflict` when the other container is gone, `internal` for a name server that is no
 * address, as Docker answers.
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
  checkNameServers(record.hostConfig.Dns ?? []);
  const paths = networkFilePaths(deps.dataRoot, record.id);
  writeFileSync(paths.hostname, `${record.config.Hostname ?? ''}\n`, { mode: 0o644 });
  writeFileSync(paths.hosts, hostsContent(deps, record, sandbox), { mode: 0o644 });
  writeFileSync(paths.resolvConf, resolvConfContent(deps.networks.resolverConfig(), record, sandbox), {
    mode: 0o644,
  });
  return paths;
}

function checkNameServers(servers: readonly string[]): void {
  const wrong = servers.find((server) => isIP(server) === 0);
  if (wrong === undefined) return;
  const text = `bad nameserver address ${wrong}: ParseAddr(${JSON.stringify(wrong)}): unable to parse IP`;
  throw new WharfError('internal', text);
}

/**
 * Brings the files of a running container in step with its networks: `before` is its sandbox as it was. What the container
 * wrote itself stays; a resolv.conf that it edited is left alone. Errors: those of the file system.
 */
export function updateNetworkFiles(
  deps: NetworkFileDeps,
  record: ContainerRecord,
  before: SandboxRecord,
  after: SandboxRecord,
): void {
  const paths = networkFilePaths(deps.dataRoot, record.id);
  const hosts = keptText(paths.hosts);
  writeFileSync(
    paths.hosts,
    hosts === undefined
      ? hostsContent(deps, record, after)
      : replaceLines(hosts, ownLines(record, before), ownLines(record, after)),
    { mode: 0o644 },
  );
  const host = deps.networks.resolverConfig();
  const [was, is] = [before, after].map((sandbox) => resolvConfContent(host, record, sandbox));
  if (was !== is && keptText(paths.resolvConf) === was)
    writeFileSync(paths.resolvConf, is as string, { mode: 0o644 });
}

/** Gives the hosts files of running containers that are linked to this one its present address. Errors: those of the file system. */
export function updateLinkedFiles(
  deps: NetworkFileDeps & { live: Pick<LiveContainers, 'running'> },
  target: ContainerRecord,
  sandbox: SandboxRecord,
): void {
  const address = sandbox.endpoints.find(({ networkName }) => networkName === 'bridge')?.ipv4;
  if (!address) return;
  for (const { id } of deps.live.running()) {
    const record = deps.store.get(id);
    const links = record ? linksOf(deps.store, record).filter((link) => link.target === target) : [];
    if (links.length === 0) continue;
    const { hosts } = networkFilePaths(deps.dataRoot, id);
    const names = new Set(links.map(({ alias }) => linkNames(target, alias)));
    const lines = keptText(hosts)
      ?.split('\n')
      .map((line) => {
        const [, rest = ''] = line.split('\t');
        return names.has(rest) ? `${address}\t${rest}` : line;
      });
    if (lines) writeFileSync(hosts, lines.join('\n'), { mode: 0o644 });
  }
}

function keptText(path: string): string | undefined {
  return statSync(path).size > MAX_KEPT_BYTES ? undefined : readFileSync(path, 'utf8');
}

/** The text without the lines of `before`, those of `after` at its end; lines that are in both stay where they are. */
function replaceLines(text: string, before: string[], after: string[]): string {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const kept = lines.filter((line) => !before.includes(line) || after.includes(line));
  return `${[...kept, ...after.filter((line) => !kept.includes(line))].join('\n')}\n`;
}

/** The text of a container's /etc/hosts. */
export function hostsContent(
  deps: Pick<NetworkFileDeps, 'networks' | 'store'>,
  record: ContainerRecord,
  sandbox: SandboxRecord | undefined,
): string {
  const lines = [...LOCAL_NAMES];
  for (const entry of record.hostConfig.ExtraHosts ?? []) {
    const { name, address } = splitExtraHost(entry);
    lines.push(`${address === 'host-gateway' ? gatewayAddress(deps) : address}\t${name}`);
  }
  lines.push(...linkLines(deps, record), ...(sandbox ? ownLines(record, sandbox) : []));
  return `${lines.join('\n')}\n`;
}

function ownLines(record: ContainerRecord, sandbox: SandboxRecord): string[] {
  const names = hostNames(record);
  return sandbox.endpoints.flatMap(({ ipv4, ipv6 }) =>
    [ipv4, ipv6].flatMap((address) => (address ? [`${address}\t${names}`] : [])),
  );
}

/** The default bridge's address, by which the host is reached from every network, as in the reference. */
function gatewayAddress(deps: Pick<NetworkFileDeps, 'networks'>): string {
  const address = deps.networks.hostGateway('bridge');
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
  return linkAddresses(deps, record).map(
    ({ target, alias, address }) => `${address}\t${linkNames(target, alias)}`,
  );
}

function linkNames(target: ContainerRecord, alias: string): string {
  return [...new Set([alias, target.config.Hostname ?? shortId(target.id), target.name])].join(' ');
}

/**
 * The text of a container's /etc/resolv.conf: the request's settings over the host's. On a network of a user the embedded
 * name server stands before the servers, which it asks itself.
 */
export function resolvConfContent(
  host: ReturnType<NetworkStack['resolverConfig']>,
  record: ContainerRecord,
  sandbox: SandboxRecord | undefined,
): string {
  const { Dns = [], DnsSearch = [], DnsOptions = [] } = record.hostConfig;
  const embedded = sandbox?.endpoints.some(({ dnsNames }) => dnsNames !== undefined) === true;
  const overrides = [
    ...(Dns.length ? ['nameservers'] : []),
    ...(DnsSearch.length ? ['search'] : []),
    ...(DnsOptions.length ? ['options'] : []),
  ];
  const servers = (Dns.length ? Dns : host.nameservers).map(oneWord);
  // A single dot is how a client asks for no search list at all.
  const search = DnsSearch.length ? DnsSearch.filter((domain) => domain !== '.') : host.search;
  const options = [...(DnsOptions.length ? DnsOptions : host.options)];
  const ndots = options.some((option) => option.startsWith('ndots:'));
  if (embedded && !ndots) options.push('ndots:0');
  const lines = [
    '# Generated by Wharf.',
    '# This file can be edited; it is made anew when the container starts.',
    '',
    ...(embedded ? [NAME_SERVER] : servers).map((address) => `nameserver ${address}`),
    ...(search.length ? [`search ${search.map(oneWord).join(' ')}`] : []),
    ...(options.length ? [`options ${options.map(oneWord).join(' ')}`] : []),
    '',
    `# Based on host file: '/etc/resolv.conf'${embedded ? ' (internal resolver)' : ''}`,
    ...(embedded
      ? [`# ExtServers: [${servers.map((one) => (Dns.length ? one : `host(${one})`)).join(' ')}]`]
      : []),
    `# Overrides: [${overrides.join(' ')}]`,
    ...(embedded ? [`# Option ndots from: ${ndotsFrom(ndots, DnsOptions.length > 0)}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function ndotsFrom(given: boolean, overridden: boolean): string {
  if (!given) return 'internal';
  return overridden ? 'override' : 'host';
}

/** A value that can't start another line or word of the file. */
function oneWord(text: string): string {
  return isIPv6(text) ? text : text.replace(/\s+/g, '');
}
