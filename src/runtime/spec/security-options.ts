import { WharfError } from '../../base/index.ts';
import type { HostFacts, SpecDefaults } from '../spec-input.ts';
import type { OciSeccomp, SeccompProfile } from './seccomp.ts';
import { parseSeccompProfile, resolveSeccomp } from './seccomp.ts';

/** What `HostConfig.SecurityOpt` says. */
export interface SecurityOptions {
  noNewPrivileges: boolean | undefined;
  /** `default`, `unconfined`, or the user's profile. */
  seccomp: 'default' | 'unconfined' | SeccompProfile;
  apparmor: string | undefined;
  label: boolean;
  warnings: string[];
}

const WITH_VALUE = new Set([
  'apparmor',
  'label',
  'seccomp',
  'no-new-privileges',
  'systempaths',
  'writable-cgroups',
]);

function boolean(option: string, value: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(value)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(value)) return false;
  throw new WharfError('invalid', `invalid --security-opt 2: "${option}"`);
}

function seccompValue(value: string): SecurityOptions['seccomp'] {
  if (value === 'unconfined') return 'unconfined';
  if (value === '' || value === 'builtin' || value === 'default') return 'default';
  return parseSeccompProfile(value);
}

/** Parses the options (`key=value`, the older `key:value`, bare `no-new-privileges`). Errors: `invalid`. */
export function parseSecurityOptions(options: readonly string[], host: HostFacts): SecurityOptions {
  const parsed: SecurityOptions = {
    noNewPrivileges: undefined,
    seccomp: 'default',
    apparmor: undefined,
    label: false,
    warnings: [],
  };
  for (const option of options) {
    if (option === 'no-new-privileges') {
      parsed.noNewPrivileges = true;
      continue;
    }
    const [, key = '', value = ''] = /^([^=:]*)[=:](.*)$/s.exec(option) ?? [];
    if (!/[=:]/.test(option)) throw new WharfError('invalid', `invalid --security-opt 1: "${option}"`);
    if (!WITH_VALUE.has(key) || (key === 'systempaths' && value !== 'unconfined'))
      throw new WharfError('invalid', `invalid --security-opt 2: "${option}"`);
    if (key === 'no-new-privileges') parsed.noNewPrivileges = boolean(option, value);
    if (key === 'seccomp') parsed.seccomp = seccompValue(value);
    if (key === 'apparmor') parsed.apparmor = value;
    if (key === 'label') parsed.label = true;
  }
  if (parsed.apparmor && parsed.apparmor !== 'unconfined' && !host.apparmor)
    parsed.warnings.push('AppArmor is not available on this host. The apparmor option is discarded.');
  if (parsed.label && !host.selinux)
    parsed.warnings.push('SELinux is not available on this host. The label option is discarded.');
  return parsed;
}

/** The filter for a container; undefined for none. */
export function seccompOf(
  options: SecurityOptions,
  privileged: boolean,
  capabilities: readonly string[],
  host: HostFacts,
  defaults: SpecDefaults,
): OciSeccomp | undefined {
  if (privileged || options.seccomp === 'unconfined' || !host.seccomp) return undefined;
  if (options.seccomp !== 'default') return resolveSeccomp(options.seccomp, capabilities, host, false);
  return defaults.seccomp && resolveSeccomp(defaults.seccomp, capabilities, host, true);
}
