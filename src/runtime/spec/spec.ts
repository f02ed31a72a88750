import { posix } from 'node:path';
import { span, WharfError } from '../../base/index.ts';
import type { SpecInput } from '../spec-input.ts';
import type { OciProcess, OciSpec } from '../spec-types.ts';
import { annotationsOf } from './annotations.ts';
import { capabilitiesOf } from './capabilities.ts';
import { devicesOf } from './devices.ts';
import { containerEnvironment } from './environment.ts';
import { INIT_TARGET, mountsOf, rootPropagation, wantsInit } from './mounts.ts';
import { namespacesOf } from './namespaces.ts';
import { maskedPaths, readonlyPaths } from './paths.ts';
import { resourcesFromHostConfig } from './resources.ts';
import { exactLimits, rlimitsOf } from './rlimits.ts';
import { parseSecurityOptions, type SecurityOptions, seccompOf } from './security-options.ts';
import { sysctlsOf } from './sysctls.ts';

/** Version of the runtime-spec that all supported runtimes read. */
const OCI_VERSION = '1.0.2';

/** The init program's host path when the container wants one. Errors: `not-found` with Docker's text. */
function initProgram(input: SpecInput): string | undefined {
  if (!wantsInit(input)) return undefined;
  const path = input.defaults.initPath ?? input.host.initBinary;
  if (path) return path;
  throw new WharfError('not-found', 'exec: "docker-init": executable file not found in $PATH');
}

/** The five sets as Docker fills them; inheritable and ambient stay empty, so that file capabilities mean what they say. */
export function capabilitySets(names: string[]): NonNullable<OciProcess['capabilities']> {
  return { bounding: names, effective: names, permitted: names, inheritable: [], ambient: [] };
}

/** oom_score_adj for the process; what can't be set here is left as it is (the warning comes at create). */
function oomScoreAdj({ hostConfig, host }: SpecInput): number | undefined {
  const asked = hostConfig.OomScoreAdj ?? 0;
  return asked >= host.oomScoreAdj || host.sysResource ? asked : undefined;
}

function processOf(input: SpecInput, capabilities: string[], security: SecurityOptions): OciProcess {
  const { config, hostConfig, host, defaults, user } = input;
  const tty = config.Tty ?? false;
  const args = [input.path, ...input.args];
  const [height = 0, width = 0] = hostConfig.ConsoleSize ?? [];
  const { rlimits } = rlimitsOf(hostConfig.Ulimits ?? [], defaults.ulimits ?? [], host);
  const adjust = oomScoreAdj(input);
  return {
    terminal: tty,
    ...(tty && height > 0 && width > 0 && { consoleSize: { height, width } }),
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: wantsInit(input) ? [INIT_TARGET, '--', ...args] : args,
    env: containerEnvironment(config.Env ?? [], {
      hostname: input.hostname,
      tty,
      home: user.home,
      ...(input.linkEnvironment && { links: input.linkEnvironment }),
    }),
    cwd: config.WorkingDir || '/',
    capabilities: capabilitySets(capabilities),
    ...(rlimits.length > 0 && { rlimits: exactLimits(rlimits) }),
    noNewPrivileges: security.noNewPrivileges ?? defaults.noNewPrivileges ?? false,
    ...(security.apparmor && host.apparmor && { apparmorProfile: security.apparmor }),
    ...(adjust !== undefined && { oomScoreAdj: adjust }),
  };
}

/** Cgroup of the container below its parent; a relative parent counts from the root, so that `..` can't leave it. */
export function cgroupPath(input: Pick<SpecInput, 'id' | 'hostConfig' | 'defaults'>): string {
  const parent = input.hostConfig.CgroupParent || input.defaults.cgroupParent || '/docker';
  return posix.join('/', parent, input.id);
}

/** The OCI spec of a container. Pure: asks the host only through `input.host`. Errors: `invalid`, `conflict` with Docker's texts. */
export function assembleSpec(input: SpecInput): OciSpec {
  using _ = span('spec', input.id);
  const { config, hostConfig, host, defaults } = input;
  const capabilities = capabilitiesOf(hostConfig, host.capabilities);
  const security = parseSecurityOptions(hostConfig.SecurityOpt ?? [], host);
  const devices = devicesOf(hostConfig, host);
  const mounts = mountsOf(input, initProgram(input));
  const propagation = rootPropagation(mounts);
  const seccomp = seccompOf(security, hostConfig.Privileged ?? false, capabilities, host, defaults);
  const { resources } = resourcesFromHostConfig(hostConfig, host);
  return {
    ociVersion: OCI_VERSION,
    root: { path: input.rootfs, ...(hostConfig.ReadonlyRootfs && { readonly: true }) },
    ...(hostConfig.UTSMode !== 'host' && { hostname: input.hostname }),
    mounts,
    process: processOf(input, capabilities, security),
    linux: {
      namespaces: namespacesOf(hostConfig, input.namespaces, host.cgroup.version),
      ...(devices.nodes.length > 0 && { devices: devices.nodes }),
      cgroupsPath: cgroupPath(input),
      resources: { ...resources, devices: devices.rules },
      ...(propagation && { rootfsPropagation: propagation }),
      ...(seccomp && { seccomp }),
      sysctl: sysctlsOf(config, hostConfig),
      maskedPaths: maskedPaths(hostConfig, host.thermalCpus),
      readonlyPaths: readonlyPaths(hostConfig),
    },
    annotations: annotationsOf(hostConfig.Annotations).annotations,
  };
}
