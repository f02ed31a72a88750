import { existsSync } from 'node:fs';
import { type Logger, WharfError } from '../base/index.ts';
import type { HostFacts, RuntimeBinary, SpecDefaults } from '../runtime/index.ts';
import { loadSeccompProfile, warmSeccomp } from '../runtime/index.ts';
import type { Settings } from './settings.ts';
import { knownRuntimes } from './tools.ts';

/** Docker's default seccomp profile as the package golang-github-containers-common ships it: data, not a copy of ours. */
const SECCOMP_PROFILE = '/usr/share/containers/seccomp.json';

/** The settings in force; a reload replaces those that may change, so whoever needs one asks each time. */
export class CurrentSettings {
  settings: Settings;
  runtimes: Map<string, RuntimeBinary>;
  private readonly seccomp: ReturnType<typeof loadSeccompProfile> | undefined;

  constructor(settings: Settings, log: Logger) {
    this.settings = settings;
    this.runtimes = knownRuntimes(settings);
    this.seccomp = readSeccomp(settings.seccompProfile, log);
    checkRuntime(this.runtimes, settings.defaultRuntime);
  }

  /** Takes over what may change while the daemon runs; the rest stays as it was at the start. */
  reload(next: Settings): void {
    const runtimes = knownRuntimes(next);
    checkRuntime(runtimes, next.defaultRuntime);
    this.runtimes = runtimes;
    const { debug, logLevel, labels, liveRestore, shutdownTimeout, defaultRuntime, defaultShmSize } = next;
    const changed = { debug, logLevel, labels, liveRestore, shutdownTimeout, defaultRuntime, defaultShmSize };
    const { runtimes: named, distribution } = next;
    this.settings = { ...this.settings, ...changed, runtimes: named, distribution };
  }

  /** Errors: `invalid` for a name that is not known. */
  runtime(name: string): RuntimeBinary {
    const found = this.runtimes.get(name || this.settings.defaultRuntime);
    if (found) return found;
    throw new WharfError('invalid', `unknown or invalid runtime name: ${name}`);
  }

  /** What a container's spec gets where its request is silent. */
  specDefaults(): SpecDefaults {
    const { settings } = this;
    return {
      ulimits: settings.defaultUlimits,
      seccomp: this.seccomp,
      cgroupParent: settings.cgroupParent,
      noNewPrivileges: settings.noNewPrivileges,
      init: settings.init,
      ...(settings.initPath ? { initPath: settings.initPath } : {}),
    };
  }

  /** Compiles the default filter ahead: some 25 ms that the first container need not wait for. */
  warmSeccomp(host: HostFacts): void {
    warmSeccomp(this.seccomp, host);
  }

  /** What `info` says of the default seccomp profile. */
  seccompName(): string {
    const asked = this.settings.seccompProfile;
    if (asked) return asked;
    return this.seccomp ? 'builtin' : 'unconfined';
  }
}

function checkRuntime(runtimes: Map<string, RuntimeBinary>, name: string): void {
  if (runtimes.has(name)) return;
  const known = [...runtimes.keys()].join(', ') || 'none';
  throw new WharfError(
    'invalid',
    `the default runtime "${name}" is not installed (found: ${known}): install it, or choose another by --default-runtime`,
  );
}

function readSeccomp(
  path: string | undefined,
  log: Logger,
): ReturnType<typeof loadSeccompProfile> | undefined {
  if (path === 'unconfined') return undefined;
  if (path) return loadSeccompProfile(path);
  if (existsSync(SECCOMP_PROFILE)) return loadSeccompProfile(SECCOMP_PROFILE);
  log.warn('containers run WITHOUT a seccomp profile: install golang-github-containers-common', {
    file: SECCOMP_PROFILE,
  });
  return undefined;
}

/** For `info`: the init program in use. */
export function initBinary(settings: Settings, host: HostFacts): string | undefined {
  return settings.initPath ?? host.initBinary;
}
