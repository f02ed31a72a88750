import { ZERO_TIME } from '../../base/index.ts';
import type { ContainerRecord } from './record.ts';

/** Nanoseconds since 1970 of an RFC 3339 time in UTC. */
export function timeNanos(text: string): bigint {
  const seconds = BigInt(Math.floor(Date.parse(`${text.slice(0, 19)}Z`) / 1000));
  const fraction = text.slice(20, -1).padEnd(9, '0').slice(0, 9);
  return seconds * 1_000_000_000n + BigInt(fraction || '0');
}

/** A duration as Docker's lists say it: `3 minutes`, `About an hour`. */
export function humanDuration(nanos: bigint): string {
  const seconds = Number(nanos / 1_000_000_000n);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(seconds / 3600 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(Math.floor(seconds / 3600) / 24 / 365)} years`;
}

/** The `Status` of a list: `Up 3 minutes (healthy)`, `Exited (0) 2 seconds ago`. `now` in nanoseconds since 1970. */
export function statusText({ state }: Pick<ContainerRecord, 'state'>, now: bigint): string {
  const since = (text: string) => humanDuration(now - timeNanos(text));
  switch (state.status) {
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case 'running':
      return `Up ${since(state.startedAt)}${healthText(state.health?.Status)}`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    case 'created':
      return 'Created';
    case 'exited':
      return state.finishedAt === ZERO_TIME
        ? ''
        : `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
  }
}

function healthText(status: string | undefined): string {
  if (!status || status === 'none') return '';
  return status === 'starting' ? ' (health: starting)' : ` (${status})`;
}

/** A container that clients count as running: its process lives, is paused, or will be started again. */
export function countsAsRunning({ state }: Pick<ContainerRecord, 'state'>): boolean {
  return state.status === 'running' || state.status === 'paused' || state.status === 'restarting';
}
