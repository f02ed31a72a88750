/** Search path of a container whose image sets none. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Lays `over` on `base`: same keys are replaced in place, a bare `KEY` removes it, others are appended. */
export function mergeEnvironment(base: readonly string[], over: readonly string[]): string[] {
  const merged = new Map<string, string>();
  for (const entry of base) merged.set(entry.split('=', 1)[0] ?? '', entry);
  for (const entry of over) {
    const key = entry.split('=', 1)[0] ?? '';
    // A bare name must never take its value from the daemon's own environment.
    if (!entry.includes('=')) merged.delete(key);
    else merged.set(key, entry);
  }
  return [...merged.values()];
}

/** Environment of a container's first process: PATH, HOSTNAME, TERM, what `links` say and HOME where `env` has none. */
export function containerEnvironment(
  env: readonly string[],
  about: { hostname: string; tty: boolean; home: string; links?: readonly string[] },
): string[] {
  const base = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${about.hostname}`];
  if (about.tty) base.push('TERM=xterm');
  base.push(...(about.links ?? []));
  return withHome(mergeEnvironment(base, env), about.home);
}

/** Adds HOME unless it is set to something. */
export function withHome(env: string[], home: string): string[] {
  const present = env.some((entry) => entry.startsWith('HOME=') && entry !== 'HOME=');
  return present ? env : [...env.filter((entry) => entry !== 'HOME='), `HOME=${home}`];
}
