import { isIP } from 'node:net';
import type { ContainerConfig, HostConfig, RestartPolicy } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { checkLogConfig } from '../../logs/index.ts';
import type { ContainerDefaults } from './deps.ts';
import { CAPABILITIES } from './known-values.ts';
import { modeContainer } from './modes.ts';

function refuse(message: string): never {
  throw new WharfError('invalid', message);
}

/** The reference answers 500 to these, and clients tell a 500 from a 400. */
function refuseAsFault(message: string): never {
  throw new WharfError('internal', message);
}

/** Checks the parts of `HostConfig` besides limits, mounts and ports. Texts are Docker's. Errors: `invalid`. */
export function checkHostConfigFields(
  config: ContainerConfig,
  hostConfig: HostConfig,
  defaults: ContainerDefaults,
): void {
  checkModes(hostConfig);
  checkNetworkConflicts(config, hostConfig);
  checkRestartPolicy(hostConfig.RestartPolicy, hostConfig.AutoRemove === true);
  checkExtraHosts(hostConfig.ExtraHosts);
  checkCapabilities('CapAdd', hostConfig.CapAdd);
  checkCapabilities('CapDrop', hostConfig.CapDrop);
  checkSecurityOptions(hostConfig.SecurityOpt);
  checkLogging(hostConfig, defaults);
  if (hostConfig.Runtime && !defaults.runtimes.has(hostConfig.Runtime)) {
    refuse(`unknown or invalid runtime name: ${hostConfig.Runtime}`);
  }
  const score = hostConfig.OomScoreAdj ?? 0;
  if (score < -1000 || score > 1000)
    refuse(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
  if ((hostConfig.ShmSize ?? 0) < 0) refuse('SHM size can not be less than 0');
  if (hostConfig.Isolation && hostConfig.Isolation !== 'default') {
    refuse(`invalid isolation (${hostConfig.Isolation}): linux only supports 'default'`);
  }
  if (Object.hasOwn(hostConfig.Annotations ?? {}, '')) {
    refuse('invalid Annotations: the empty string is not permitted as an annotation key');
  }
  for (const key of Object.keys(hostConfig.StorageOpt ?? {})) {
    if (key.toLowerCase() !== 'size') refuseAsFault(`Unknown option ${key}`);
    refuseAsFault("--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
  }
  for (const request of hostConfig.DeviceRequests ?? []) {
    refuse(
      `could not select device driver "${request.Driver ?? ''}" with capabilities: ${JSON.stringify(request.Capabilities ?? [])}`,
    );
  }
  if (hostConfig.Cgroup) refuse(`invalid cgroup mode: ${hostConfig.Cgroup}`);
}

function checkModes(hostConfig: HostConfig): void {
  const { PidMode: pid = '', IpcMode: ipc = '', UTSMode: uts = '', UsernsMode: userns = '' } = hostConfig;
  const container = (mode: string) => Boolean(modeContainer(mode));
  if (!['', 'host'].includes(pid) && !container(pid)) refuse(`invalid PID mode: ${pid}`);
  if (!['', 'none', 'private', 'shareable', 'host'].includes(ipc) && !container(ipc)) {
    refuse(`invalid IPC mode: ${ipc}`);
  }
  if (!['', 'host'].includes(uts)) refuse(`invalid UTS mode: ${uts}`);
  if (!['', 'private', 'host'].includes(userns)) refuse(`invalid user namespace mode: ${userns}`);
  const cgroup = hostConfig.CgroupnsMode ?? '';
  if (!['', 'private', 'host'].includes(cgroup)) refuse(`invalid cgroup namespace mode: ${cgroup}`);
  if (hostConfig.NetworkMode === 'container:') {
    refuse('invalid network mode: invalid container format container:<name|id>');
  }
}

function checkNetworkConflicts(config: ContainerConfig, hostConfig: HostConfig): void {
  if (config.Hostname && hostConfig.UTSMode === 'host')
    refuse('conflicting options: hostname and the UTS mode');
  if (hostConfig.NetworkMode === 'host' && hostConfig.Links?.length) {
    refuse(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
  }
  if (modeContainer(hostConfig.NetworkMode) === undefined) return;
  if (config.Hostname) refuse('conflicting options: hostname and the network mode');
  if (hostConfig.Links?.length) {
    refuse(
      "conflicting options: container type network can't be used with links. This would result in undefined behavior",
    );
  }
  if (hostConfig.Dns?.length) refuse('conflicting options: dns and the network mode');
  if (hostConfig.ExtraHosts?.length)
    refuse('conflicting options: custom host-to-IP mapping and the network mode');
  if (Object.keys(hostConfig.PortBindings ?? {}).length || hostConfig.PublishAllPorts) {
    refuse('conflicting options: port publishing and the container type network mode');
  }
  if (Object.keys(config.ExposedPorts ?? {}).length) {
    refuse('conflicting options: port exposing and the container type network mode');
  }
}

/** Errors: `invalid`, with Docker's texts. */
export function checkRestartPolicy(policy: RestartPolicy | undefined, autoRemove: boolean): void {
  const name = policy?.Name ?? '';
  const retries = policy?.MaximumRetryCount ?? 0;
  if (!['', 'no', 'always', 'on-failure', 'unless-stopped'].includes(name)) {
    refuse(
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (retries < 0) refuse('invalid restart policy: maximum retry count cannot be negative');
  if (name !== 'on-failure' && retries !== 0) {
    refuse("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  }
  if (autoRemove && name !== '' && name !== 'no')
    refuse("can't create 'AutoRemove' container with restart policy");
}

function checkExtraHosts(hosts: string[] | undefined): void {
  for (const entry of hosts ?? []) {
    const { name, address } = splitExtraHost(entry);
    if (!name || address === undefined || /\s/.test(name)) refuse(`bad format for add-host: "${entry}"`);
    if (address !== 'host-gateway' && isIP(address) === 0) {
      refuse(`invalid IP address in add-host: "${address}"`);
    }
  }
}

/** `name:address`; the command line's other forms are the client's to translate. */
export function splitExtraHost(entry: string): { name: string; address: string | undefined } {
  const at = entry.indexOf(':');
  if (at < 0) return { name: entry, address: undefined };
  return { name: entry.slice(0, at), address: entry.slice(at + 1) };
}

function checkCapabilities(field: string, names: string[] | undefined): void {
  for (const name of names ?? []) {
    const upper = name.toUpperCase();
    if (upper === 'ALL') continue;
    const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
    if (!CAPABILITIES.has(full)) refuse(`invalid ${field}: unknown capability: "${full}"`);
  }
}

function checkSecurityOptions(options: string[] | undefined): void {
  for (const option of options ?? []) {
    if (option === 'no-new-privileges' || option === 'disable') continue;
    const at = option.search(/[=:]/);
    if (at < 0) refuseAsFault(`invalid --security-opt 1: "${option}"`);
    const [key, value] = [option.slice(0, at), option.slice(at + 1)];
    if (key === 'no-new-privileges' && /^(1|0|t|f|true|false)$/i.test(value)) continue;
    if (key === 'writable-cgroups' && /^(1|0|t|f|true|false)$/i.test(value)) continue;
    if (['label', 'apparmor', 'seccomp'].includes(key)) continue;
    refuseAsFault(`invalid --security-opt 2: "${option}"`);
  }
}

function checkLogging(hostConfig: HostConfig, { logDriver, logOpts }: ContainerDefaults): void {
  const { Type: asked, Config: options } = hostConfig.LogConfig ?? {};
  const type = asked || logDriver;
  checkLogConfig(type, type === logDriver ? { ...logOpts, ...options } : (options ?? {}));
}
