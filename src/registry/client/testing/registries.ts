import { type Clock, silentLog, systemClock, WharfError } from '../../../base/index.ts';
import { openRegistries } from '../registries.ts';
import type { Registries, RegistryHosts } from '../types.ts';

/** Settings for tests: nothing configured, three tries. */
export const HOSTS: RegistryHosts = {
  insecure: [],
  mirrors: new Map(),
  certsDirs: [],
  proxy: {},
  userAgent: 'wharf/test',
  attempts: 3,
  stallMs: 20_000,
};

/** A clock whose sleeps take no time and are written down. */
export function testClock(): Clock & { slept: number[]; turn(ms: number): void } {
  const slept: number[] = [];
  let now = 0;
  return {
    slept,
    turn(ms) {
      now += ms;
    },
    nowNanos: () => systemClock.nowNanos(),
    monotonic: () => now,
    async sleep(ms, signal) {
      if (signal?.aborted) throw new WharfError('cancelled', 'the wait was cancelled');
      slept.push(ms);
      now += ms;
    },
  };
}

/** Registries for a test; waits take no time. */
export function testRegistries(
  hosts: Partial<RegistryHosts> = {},
  options: { clock?: Clock; random?: () => number } = {},
): Registries {
  return openRegistries({ ...HOSTS, ...hosts }, silentLog, {
    clock: testClock(),
    random: () => 0,
    ...options,
  });
}
