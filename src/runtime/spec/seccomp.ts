import { readFileSync } from 'node:fs';
import { WharfError } from '../../base/index.ts';
import type { HostFacts } from '../spec-input.ts';
import { hardenRules } from './seccomp-hardening.ts';

/** A condition on an argument of a system call (OCI `config-linux.md`, seccomp). */
export interface SeccompArg {
  index: number;
  value: number;
  valueTwo?: number;
  op: string;
}

/** When a rule of a profile applies. */
interface Condition {
  caps?: string[];
  arches?: string[];
  /** `4.8`: the least kernel. */
  minKernel?: string;
}

/** One rule of a profile. */
export interface SeccompRule {
  name?: string;
  names?: string[];
  action: string;
  errnoRet?: number;
  args?: SeccompArg[] | null;
  includes?: Condition;
  excludes?: Condition;
}

/** A profile in the format of containers-common and Docker, before its conditions are resolved. */
export interface SeccompProfile {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: string[];
  archMap?: { architecture: string; subArchitectures?: string[] | null }[];
  syscalls?: SeccompRule[];
  flags?: string[];
  listenerPath?: string;
  listenerMetadata?: string;
}

/** A rule as the runtime takes it. */
export interface OciSyscall {
  names: string[];
  action: string;
  errnoRet?: number;
  args?: SeccompArg[];
}

/** The resolved filter (OCI `linux.seccomp`). */
export interface OciSeccomp {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: string[];
  flags?: string[];
  /** The socket of an agent that decides on `SCMP_ACT_NOTIFY`, and what it is told. */
  listenerPath?: string;
  listenerMetadata?: string;
  syscalls: OciSyscall[];
}

const NATIVE: Record<string, string> = {
  amd64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
  arm: 'SCMP_ARCH_ARM',
  386: 'SCMP_ARCH_X86',
  ppc64le: 'SCMP_ARCH_PPC64LE',
  s390x: 'SCMP_ARCH_S390X',
  riscv64: 'SCMP_ARCH_RISCV64',
};

/** Parses profile text. Errors: `invalid` with Docker's text. */
export function parseSeccompProfile(text: string): SeccompProfile {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new WharfError('invalid', `Decoding seccomp profile failed: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (typeof parsed !== 'object' || parsed === null || !('defaultAction' in parsed))
    throw new WharfError('invalid', 'Decoding seccomp profile failed: it has no defaultAction');
  return parsed as SeccompProfile;
}

/** Loads the profile file. Errors: `invalid` when it is not a profile, `not-found`. */
export function loadSeccompProfile(path: string): SeccompProfile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new WharfError('not-found', `opening seccomp profile (${path}) failed`, { cause });
  }
  return parseSeccompProfile(text);
}

function kernelAtLeast(wanted: string, { kernel }: HostFacts): boolean {
  const [major = 0, minor = 0] = wanted.split('.').map(Number);
  return kernel.major > major || (kernel.major === major && kernel.minor >= minor);
}

function applies(rule: SeccompRule, caps: ReadonlySet<string>, host: HostFacts): boolean {
  const { includes = {}, excludes = {} } = rule;
  const arch = host.architecture;
  if (excludes.arches?.includes(arch) || excludes.caps?.some((cap) => caps.has(cap))) return false;
  if (excludes.minKernel && kernelAtLeast(excludes.minKernel, host)) return false;
  if (includes.arches?.length && !includes.arches.includes(arch)) return false;
  if (includes.minKernel && !kernelAtLeast(includes.minKernel, host)) return false;
  return (includes.caps ?? []).every((cap) => caps.has(cap));
}

function resolveRule(rule: SeccompRule): OciSyscall {
  const resolved: OciSyscall = { names: rule.names ?? (rule.name ? [rule.name] : []), action: rule.action };
  if (rule.errnoRet !== undefined) resolved.errnoRet = rule.errnoRet;
  if (rule.args?.length) resolved.args = rule.args;
  return resolved;
}

/** Resolves a profile's conditions for a capability set. `harden` is for the host's own profile, never for the user's. */
export function resolveSeccomp(
  profile: SeccompProfile,
  capabilities: readonly string[],
  host: HostFacts,
  harden: boolean,
): OciSeccomp {
  const caps = new Set(capabilities);
  const native = NATIVE[host.architecture];
  const mapped = profile.archMap?.find((entry) => entry.architecture === native);
  const architectures = mapped
    ? [mapped.architecture, ...(mapped.subArchitectures ?? [])]
    : (profile.architectures ?? []);
  const rules = (profile.syscalls ?? []).filter((rule) => applies(rule, caps, host)).map(resolveRule);
  const { defaultAction, defaultErrnoRet, flags, listenerPath, listenerMetadata } = profile;
  return {
    defaultAction,
    ...(defaultErrnoRet !== undefined && { defaultErrnoRet }),
    ...(architectures.length > 0 && { architectures }),
    ...(flags && { flags }),
    ...(listenerPath && { listenerPath }),
    ...(listenerMetadata && { listenerMetadata }),
    syscalls: harden ? hardenRules(rules, caps) : rules,
  };
}
