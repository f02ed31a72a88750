import { resolve } from 'node:path';
import type { CreateRequest } from '../../client/index.ts';
import { fileError, nodeFs } from '../files.ts';
import type { ParsedFlags } from '../flags.ts';
import { parseBytes } from '../quantities.ts';
import { keyValues, toMap } from './env-file.ts';
import { csvFields, parseMount } from './mounts.ts';
import { networking } from './networks.ts';
import { parseExpose, parsePublish } from './ports.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What the command line asks for, as the body of a create request. Throws Error with Docker's text. */
export function createRequest(flags: ParsedFlags, env: Env): CreateRequest {
  const [image = '', ...args] = flags.operands;
  const attach = attachment(flags);
  if (
    flags.changed('memory-swappiness') &&
    (flags.number('memory-swappiness') < -1 || flags.number('memory-swappiness') > 100)
  ) {
    throw new Error(
      `invalid value: ${flags.number('memory-swappiness')}. Valid memory swappiness range is 0-100`,
    );
  }
  const { exposed, bindings } = parsePublish(flags.list('publish'));
  Object.assign(exposed, parseExpose(flags.list('expose')));
  const network = networking(flags);
  const volumes = splitVolumes(flags.list('volume'));
  const health = healthcheck(flags);
  return {
    Hostname: flags.string('hostname'),
    Domainname: flags.string('domainname'),
    User: flags.string('user'),
    ...attach,
    ...(Object.keys(exposed).length > 0 ? { ExposedPorts: exposed } : {}),
    Tty: flags.bool('tty'),
    OpenStdin: flags.bool('interactive'),
    StdinOnce: flags.bool('interactive') && attach.AttachStdin,
    Env: keyValues(flags.list('env-file'), flags.list('env'), env),
    Cmd: args.length > 0 ? args : null,
    ...(health ? { Healthcheck: health } : {}),
    Image: image,
    Volumes: Object.keys(volumes.anonymous).length > 0 ? volumes.anonymous : null,
    WorkingDir: flags.string('workdir'),
    Entrypoint: flags.changed('entrypoint')
      ? flags.string('entrypoint') === ''
        ? ['']
        : [flags.string('entrypoint')]
      : null,
    Labels: toMap(keyValues(flags.list('label-file'), flags.list('label'), undefined)),
    ...(flags.changed('stop-signal') ? { StopSignal: flags.string('stop-signal') } : {}),
    ...(flags.changed('stop-timeout') ? { StopTimeout: flags.number('stop-timeout') } : {}),
    HostConfig: hostConfig(flags, volumes.binds, bindings, network.mode),
    NetworkingConfig: { EndpointsConfig: network.endpoints },
  };
}

function attachment(flags: ParsedFlags): {
  AttachStdin: boolean;
  AttachStdout: boolean;
  AttachStderr: boolean;
} {
  const streams = flags.list('attach');
  if (flags.bool('detach')) return { AttachStdin: false, AttachStdout: false, AttachStderr: false };
  if (streams.length === 0)
    return { AttachStdin: flags.bool('interactive'), AttachStdout: true, AttachStderr: true };
  return {
    AttachStdin: streams.includes('stdin'),
    AttachStdout: streams.includes('stdout'),
    AttachStderr: streams.includes('stderr'),
  };
}

/** A volume without a source is anonymous; the rest are binds, with relative paths resolved here. */
function splitVolumes(values: readonly string[]): {
  anonymous: Record<string, object>;
  binds: string[] | null;
} {
  const anonymous: Record<string, object> = {};
  const binds: string[] = [];
  for (const value of values) {
    const at = value.indexOf(':');
    // One letter before the colon is a drive to Docker's client, on every system.
    if (at < 0 || /^[a-z]:[^:]*$/i.test(value)) anonymous[value] = {};
    else
      binds.push(
        /^(?:\.{1,2}(?:\/|:|$))/.test(value) ? `${resolve(value.slice(0, at))}${value.slice(at)}` : value,
      );
  }
  return { anonymous, binds: binds.length > 0 ? binds : null };
}

function healthcheck(flags: ParsedFlags): Record<string, unknown> | undefined {
  const names = [
    'health-cmd',
    'health-interval',
    'health-timeout',
    'health-start-period',
    'health-start-interval',
    'health-retries',
  ];
  const given = names.some(
    (name) => flags.changed(name) && flags.string(name) !== '' && flags.string(name) !== '0',
  );
  if (flags.bool('no-healthcheck')) {
    if (given) throw new Error('--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] };
  }
  for (const name of names.slice(1))
    if (flags.number(name) < 0) throw new Error(`--${name} cannot be negative`);
  if (!given) return undefined;
  const command = flags.string('health-cmd');
  return {
    ...(command === '' ? {} : { Test: ['CMD-SHELL', command] }),
    Interval: flags.number('health-interval'),
    Timeout: flags.number('health-timeout'),
    StartPeriod: flags.number('health-start-period'),
    StartInterval: flags.number('health-start-interval'),
    Retries: flags.number('health-retries'),
  };
}

/** The limits that `run` and `update` share. */
export function resourceFields(flags: ParsedFlags): Record<string, unknown> {
  return {
    CpuShares: flags.number('cpu-shares'),
    Memory: flags.number('memory'),
    NanoCpus: flags.number('cpus'),
    BlkioWeight: flags.number('blkio-weight'),
    CpuPeriod: flags.number('cpu-period'),
    CpuQuota: flags.number('cpu-quota'),
    CpuRealtimePeriod: flags.number('cpu-rt-period'),
    CpuRealtimeRuntime: flags.number('cpu-rt-runtime'),
    CpusetCpus: flags.string('cpuset-cpus'),
    CpusetMems: flags.string('cpuset-mems'),
    MemoryReservation: flags.number('memory-reservation'),
    MemorySwap: flags.number('memory-swap'),
    ...(flags.changed('pids-limit') ? { PidsLimit: flags.number('pids-limit') } : {}),
  };
}

function hostConfig(
  flags: ParsedFlags,
  binds: string[] | null,
  bindings: object,
  networkMode: string,
): Record<string, unknown> {
  const security = securityOptions(flags.list('security-opt'));
  const throttles = (name: string) => flags.list(name).map((text) => throttle(text, name.endsWith('bps')));
  return {
    ...resourceFields(flags),
    Binds: binds,
    ContainerIDFile: flags.string('cidfile'),
    LogConfig: { Type: flags.string('log-driver'), Config: logOptions(flags) },
    NetworkMode: networkMode,
    PortBindings: bindings,
    RestartPolicy: restartPolicy(flags.string('restart')),
    AutoRemove: flags.bool('rm'),
    VolumeDriver: flags.string('volume-driver'),
    VolumesFrom: flags.changed('volumes-from') ? flags.list('volumes-from') : null,
    ConsoleSize: [process.stdout.rows ?? 0, process.stdout.columns ?? 0],
    ...(flags.changed('annotation') ? { Annotations: toMap(flags.list('annotation')) } : {}),
    CapAdd: capabilities(flags.list('cap-add')),
    CapDrop: capabilities(flags.list('cap-drop')),
    CgroupnsMode: flags.string('cgroupns'),
    Dns: flags.list('dns'),
    DnsOptions: flags.list('dns-option'),
    DnsSearch: flags.list('dns-search'),
    ExtraHosts: flags.changed('add-host') ? flags.list('add-host') : null,
    GroupAdd: flags.changed('group-add') ? flags.list('group-add') : null,
    IpcMode: flags.string('ipc'),
    Cgroup: '',
    Links: flags.changed('link') ? flags.list('link') : null,
    OomScoreAdj: flags.number('oom-score-adj'),
    PidMode: flags.string('pid'),
    Privileged: flags.bool('privileged'),
    PublishAllPorts: flags.bool('publish-all'),
    ReadonlyRootfs: flags.bool('read-only'),
    SecurityOpt: security.options,
    ...(security.unmasked ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
    ...(flags.changed('storage-opt') ? { StorageOpt: toMap(flags.list('storage-opt')) } : {}),
    ...(flags.changed('tmpfs') ? { Tmpfs: tmpfs(flags.list('tmpfs')) } : {}),
    UTSMode: flags.string('uts'),
    UsernsMode: flags.string('userns'),
    ShmSize: flags.number('shm-size'),
    ...(flags.changed('sysctl') ? { Sysctls: toMap(flags.list('sysctl')) } : {}),
    Runtime: flags.string('runtime'),
    Isolation: flags.string('isolation'),
    CgroupParent: flags.string('cgroup-parent'),
    BlkioWeightDevice: flags.list('blkio-weight-device').map(weight),
    BlkioDeviceReadBps: throttles('device-read-bps'),
    BlkioDeviceWriteBps: throttles('device-write-bps'),
    BlkioDeviceReadIOps: throttles('device-read-iops'),
    BlkioDeviceWriteIOps: throttles('device-write-iops'),
    Devices: flags.list('device').map(device),
    DeviceCgroupRules: flags.changed('device-cgroup-rule') ? flags.list('device-cgroup-rule') : null,
    DeviceRequests: flags.changed('gpus') ? flags.list('gpus').map(gpuRequest) : null,
    MemorySwappiness: flags.number('memory-swappiness'),
    OomKillDisable: flags.bool('oom-kill-disable'),
    Ulimits: flags.list('ulimit').map(ulimit),
    CpuCount: flags.number('cpu-count'),
    CpuPercent: flags.number('cpu-percent'),
    IOMaximumIOps: flags.number('io-maxiops'),
    IOMaximumBandwidth: flags.number('io-maxbandwidth'),
    ...(flags.changed('kernel-memory') ? { KernelMemory: flags.number('kernel-memory') } : {}),
    ...(flags.changed('mount') ? { Mounts: flags.list('mount').map(parseMount) } : {}),
    ...(flags.changed('init') ? { Init: flags.bool('init') } : {}),
  };
}

/** Capabilities with their prefix, each once, sorted; null for none. */
function capabilities(names: readonly string[]): string[] | null {
  const full = names
    .map((name) => name.trim().toUpperCase())
    .map((name) => (name === 'ALL' || name.startsWith('CAP_') ? name : `CAP_${name}`));
  if (full.length === 0) return null;
  return full.includes('ALL') ? ['ALL'] : [...new Set(full)].sort();
}

/** Reads `no`, `always`, `unless-stopped` or `on-failure[:N]`. Throws Error with Docker's text. */
export function restartPolicy(text: string): { Name: string; MaximumRetryCount: number } {
  if (text === '') return { Name: '', MaximumRetryCount: 0 };
  const at = text.indexOf(':');
  const name = at < 0 ? text : text.slice(0, at);
  if (name === '') throw new Error('invalid restart policy format: no policy provided before colon');
  if (at < 0) return { Name: name, MaximumRetryCount: 0 };
  const count = text.slice(at + 1);
  if (!/^-?\d+$/.test(count))
    throw new Error('invalid restart policy format: maximum retry count must be an integer');
  return { Name: name, MaximumRetryCount: Number(count) };
}

function logOptions(flags: ParsedFlags): Record<string, string> {
  const values = flags.list('log-opt');
  if (flags.string('log-driver') === 'none' && values.length > 0)
    throw new Error('invalid logging opts for driver none');
  return toMap(values);
}

function securityOptions(values: readonly string[]): { options: string[] | null; unmasked: boolean } {
  if (values.length === 0) return { options: null, unmasked: false };
  const kept = values.filter((value) => value !== 'systempaths=unconfined');
  const options = kept.map((value) => {
    const at = value.search(/[=:]/);
    if (at < 0) {
      if (value === 'no-new-privileges') return value;
      throw new Error(`invalid --security-opt: ${JSON.stringify(value)}`);
    }
    const [key, rest] = [value.slice(0, at), value.slice(at + 1)];
    if (key !== 'seccomp' || rest === 'unconfined' || rest === 'builtin') return value;
    return `seccomp=${seccompProfile(rest)}`;
  });
  return { options, unmasked: kept.length < values.length };
}

function seccompProfile(file: string): string {
  let text: string;
  try {
    text = nodeFs().readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new Error(`opening seccomp profile (${file}) failed: ${fileError(file, thrown).message}`);
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (thrown) {
    throw new Error(
      `compacting json for seccomp profile (${file}) failed: ${thrown instanceof Error ? thrown.message : ''}`,
    );
  }
}

function tmpfs(values: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    values.map((value) => {
      const at = value.indexOf(':');
      return at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at + 1)];
    }),
  );
}

function device(value: string): Record<string, string> {
  const parts = value.split(':');
  const mode = (text: string | undefined) =>
    text !== undefined && /^[rwm]+$/.test(text) && new Set(text).size === text.length;
  const [source = '', second, third] = parts;
  if (parts.length > 3) throw new Error(`invalid device specification: ${value}`);
  if (parts.length === 3 && !mode(third)) throw new Error(`bad mode specified: ${third}`);
  const target = parts.length === 1 || (parts.length === 2 && mode(second)) ? source : (second ?? '');
  const permissions = parts.length === 3 ? third : parts.length === 2 && mode(second) ? second : 'rwm';
  return { PathOnHost: source, PathInContainer: target || source, CgroupPermissions: permissions ?? 'rwm' };
}

function weight(value: string): { Path: string; Weight: number } {
  const at = value.lastIndexOf(':');
  const number = Number(value.slice(at + 1));
  if (!Number.isInteger(number) || (number > 0 && (number < 10 || number > 1000)))
    throw new Error(`invalid weight for device: ${value}`);
  return { Path: value.slice(0, at), Weight: number };
}

function throttle(value: string, bytes: boolean): { Path: string; Rate: number } {
  const at = value.lastIndexOf(':');
  const text = value.slice(at + 1);
  return { Path: value.slice(0, at), Rate: bytes ? parseBytes(text) : Number(text) };
}

function ulimit(value: string): { Name: string; Soft: number; Hard: number } {
  const at = value.indexOf('=');
  const [soft = 0, hard] = value
    .slice(at + 1)
    .split(':')
    .map(Number);
  return { Name: value.slice(0, at), Soft: soft, Hard: hard ?? soft };
}

function gpuRequest(value: string): Record<string, unknown> {
  const request: Record<string, unknown> & { Capabilities: string[][] } = {
    Driver: '',
    Count: 0,
    DeviceIDs: null,
    Capabilities: [['gpu']],
    Options: {},
  };
  for (const field of csvFields(value)) {
    const at = field.indexOf('=');
    const [key, text] = at < 0 ? ['count', field] : [field.slice(0, at), field.slice(at + 1)];
    if (key === 'count') request['Count'] = text === 'all' ? -1 : Number(text);
    else if (key === 'driver') request['Driver'] = text;
    else if (key === 'device') request['DeviceIDs'] = text.split(',');
    else if (key === 'capabilities') request.Capabilities = [[...new Set(['gpu', ...text.split(',')])]];
    else if (key === 'options') request['Options'] = toMap(text.split(','));
    else throw new Error(`unexpected key '${key}' in '${field}'`);
  }
  return request;
}
