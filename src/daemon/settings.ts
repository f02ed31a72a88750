import { join } from 'node:path';
import { type LogLevel, WharfError } from '../base/index.ts';
import { LOG_DRIVERS } from '../logs/index.ts';
import type { ConfigFile } from './config-file.ts';
import { readConfigFile } from './config-file.ts';
import {
  type DistributionSettings,
  distributionSettings,
  type ProxyEnvironment,
} from './distribution-settings.ts';
import type { OptionValues } from './flags.ts';
import { type NetworkSettings, networkSettings } from './network-settings.ts';
import { ValueReader } from './value-reader.ts';

/** A limit for containers that say nothing, as `ulimit` has it. */
export interface DefaultUlimit {
  Name: string;
  Soft: number;
  Hard: number;
}

/** Files of the TLS identity; paths. */
export interface TlsFiles {
  ca: string;
  cert: string;
  key: string;
}

/** The daemon's configuration, checked and with its defaults: flags over `daemon.json` over what is built in. */
export interface Settings {
  configFile: string;
  dataRoot: string;
  execRoot: string;
  pidfile: string;
  hosts: string[];
  /** Group of Unix sockets; a name or a number. */
  group: string;
  /** `undefined`: TCP hosts have no TLS. */
  tls: TlsFiles | undefined;
  insecureNoTls: boolean;
  logLevel: LogLevel;
  debug: boolean;
  labels: string[];
  liveRestore: boolean;
  /** Seconds. */
  shutdownTimeout: number;
  runtimes: Record<string, { path: string; runtimeArgs: string[] }>;
  defaultRuntime: string;
  conmon: string | undefined;
  cgroupParent: string;
  defaultCgroupns: 'host' | 'private' | undefined;
  defaultIpcMode: 'private' | 'shareable';
  /** Bytes. */
  defaultShmSize: number;
  defaultUlimits: DefaultUlimit[];
  noNewPrivileges: boolean;
  init: boolean;
  initPath: string | undefined;
  seccompProfile: string | undefined;
  logDriver: string;
  logOpts: Record<string, string>;
  network: NetworkSettings;
  distribution: DistributionSettings;
  /** Of the registry that the daemon serves: as `wharf registry serve` has them; empty for none. */
  registry: Record<string, string>;
  /** Where to write spans; undefined for nowhere. */
  traceFile: string | undefined;
}

/** Merges flags, configuration file and the proxies of the environment into settings. Errors: `invalid`, saying which option is wrong. */
export function resolveSettings(flags: OptionValues, proxyEnv: ProxyEnvironment = {}): Settings {
  const configFile = flags.has('config-file') ? String(flags.get('config-file')) : '/etc/wharf/daemon.json';
  const file = readConfigFile(configFile, flags.has('config-file'));
  refuseTwice(flags, file);
  const values = new Map([...file.values, ...flags]);
  const read = new ValueReader(values);
  const execRoot = read.string('exec-root', '/run/wharf');
  return {
    configFile,
    dataRoot: read.string('data-root', '/var/lib/wharf'),
    execRoot,
    pidfile: read.string('pidfile', join(execRoot, 'wharfd.pid')),
    hosts: read.list('host', ['unix:///run/wharf/wharf.sock']),
    group: read.string('group', 'wharf'),
    tls: tlsFiles(read),
    insecureNoTls: read.boolean('insecure-no-tls', false),
    debug: read.boolean('debug', false),
    logLevel: read.boolean('debug', false) ? 'debug' : read.choice('log-level', LOG_LEVELS, 'info'),
    labels: read.list('label', []).map(checkLabel),
    liveRestore: read.boolean('live-restore', true),
    shutdownTimeout: read.number('shutdown-timeout', 15),
    runtimes: { ...file.runtimes, ...addedRuntimes(read) },
    defaultRuntime: read.string('default-runtime', 'crun'),
    conmon: read.optional('conmon'),
    cgroupParent: read.string('cgroup-parent', '/wharf'),
    defaultCgroupns: read.optionalChoice('default-cgroupns-mode', ['host', 'private'] as const),
    defaultIpcMode: read.choice('default-ipc-mode', ['private', 'shareable'] as const, 'private'),
    defaultShmSize: parseBytes('default-shm-size', read.string('default-shm-size', '64MiB')),
    defaultUlimits: read.list('default-ulimit', []).map(parseUlimit),
    noNewPrivileges: read.boolean('no-new-privileges', false),
    init: read.boolean('init', false),
    initPath: read.optional('init-path'),
    seccompProfile: read.optional('seccomp-profile'),
    logDriver: read.choice('log-driver', [...LOG_DRIVERS.keys()], 'json-file'),
    logOpts: read.map('log-opt'),
    network: networkSettings(read),
    distribution: distributionSettings(read, proxyEnv),
    registry: read.map('registry'),
    traceFile: read.optional('trace-file'),
  };
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** A directive must have one source, as with dockerd: which one counts is never a guess. */
function refuseTwice(flags: OptionValues, file: ConfigFile): void {
  const both = [...flags.keys()].filter((flag) => file.values.has(flag));
  if (both.length === 0) return;
  throw new WharfError(
    'invalid',
    `the following directives are specified both as a flag and in the configuration file: ${both.join(', ')}`,
  );
}

function tlsFiles(read: ValueReader): TlsFiles | undefined {
  if (!read.boolean('tls', false) && !read.boolean('tlsverify', false)) return undefined;
  return {
    ca: read.string('tlscacert', '/etc/wharf/ca.pem'),
    cert: read.string('tlscert', '/etc/wharf/server-cert.pem'),
    key: read.string('tlskey', '/etc/wharf/server-key.pem'),
  };
}

function addedRuntimes(read: ValueReader): Record<string, { path: string; runtimeArgs: string[] }> {
  const added = Object.entries(read.map('add-runtime'));
  return Object.fromEntries(added.map(([name, path]) => [name, { path, runtimeArgs: [] }]));
}

function checkLabel(label: string): string {
  if (/^[^=]+=/.test(label)) return label;
  throw new WharfError('invalid', `invalid label "${label}": key=value is needed`);
}

function parseUlimit(text: string): DefaultUlimit {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (!match) throw new WharfError('invalid', `invalid ulimit "${text}": name=soft:hard is needed`);
  return { Name: match[1] as string, Soft: Number(match[2]), Hard: Number(match[3] ?? match[2]) };
}

function parseBytes(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text);
  if (!match) throw new WharfError('invalid', `${option} takes a size such as 64m: "${text}"`);
  return Math.floor(Number(match[1]) * 1024 ** ' kmgt'.indexOf((match[2] ?? '').toLowerCase() || ' '));
}
