import type { ResourcesUlimits } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { HostFacts } from '../spec-input.ts';

const NAMES = new Set([
  ...['as', 'core', 'cpu', 'data', 'fsize', 'locks', 'memlock', 'msgqueue', 'nice', 'nofile', 'nproc'],
  ...['rss', 'rtprio', 'rttime', 'sigpending', 'stack'],
]);

/** One limit for the OCI process. */
export interface Rlimit {
  type: string;
  soft: number;
  hard: number;
}

const UNLIMITED = 2 ** 64;

/** RLIM_INFINITY is 2⁶⁴ − 1, which no number of JavaScript is: as JSON it would be more, and the runtime refuses that. */
const INFINITE = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('18446744073709551615');

/** Limits in the form in which they survive JSON; also for limits that were read from it. */
export function exactLimits(limits: readonly Rlimit[]): Rlimit[] {
  // What is exact already is no number.
  const exact = (value: number) =>
    typeof value !== 'number' || value >= UNLIMITED ? (INFINITE as number) : value;
  return limits.map(({ type, soft, hard }) => ({ type, soft: exact(soft), hard: exact(hard) }));
}

/**
 * Limits asked for, with the daemon's defaults under them; clamped, with a warning, to what this process may set.
 * `-1` means unlimited. Errors: `invalid`.
 */
export function rlimitsOf(
  asked: readonly ResourcesUlimits[],
  defaults: readonly ResourcesUlimits[],
  host: HostFacts,
): { rlimits: Rlimit[]; warnings: string[] } {
  const byName = new Map<string, ResourcesUlimits>();
  for (const limit of [...defaults, ...asked]) byName.set((limit.Name ?? '').toLowerCase(), limit);
  const warnings: string[] = [];
  const rlimits = [...byName].map(([name, { Soft = 0, Hard = 0 }]) => {
    if (!NAMES.has(name)) throw new WharfError('invalid', `invalid ulimit type: ${name}`);
    const type = `RLIMIT_${name.toUpperCase()}`;
    const most = host.sysResource ? UNLIMITED : (host.hardLimits[type] ?? UNLIMITED);
    const hard = Math.min(Hard < 0 ? UNLIMITED : Hard, most);
    const soft = Math.min(Soft < 0 ? UNLIMITED : Soft, most);
    if (soft > hard)
      throw new WharfError(
        'invalid',
        `ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`,
      );
    if (hard < (Hard < 0 ? UNLIMITED : Hard))
      warnings.push(
        `The ulimit ${name} can't be raised above this host's hard limit of ${most} without CAP_SYS_RESOURCE. Limited to ${most}.`,
      );
    return { type, soft, hard };
  });
  return { rlimits, warnings };
}
