import { isIP } from 'node:net';
import type { Clock } from '../../base/index.ts';

/** Wrong passwords before the first wait, and those of one address for any users. */
const FREE_ATTEMPTS = 5;
const FREE_OF_ADDRESS = 50;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** After so long without a wrong password all is forgotten. */
const FORGET_MS = 10 * 60_000;
const MAX_ENTRIES = 20_000;

interface Entry {
  failures: number;
  /** Monotonic milliseconds. */
  last: number;
  until: number;
}

/**
 * Slows down guessing: after five wrong passwords for one user from one address each next one must wait, first 1 s, then
 * doubling to 60 s; an address that tries many users is slowed after fifty. Others are not touched by it, so nobody can
 * lock a user out from elsewhere.
 */
export class LoginThrottle {
  private readonly clock: Pick<Clock, 'monotonic'>;
  private readonly entries = new Map<string, Entry>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.clock = clock;
  }

  /**
   * Counts an attempt before its password is checked, so that many at once don't slip through. The result is how many whole
   * seconds this user must wait at this address; 0 when the attempt may be made.
   */
  attempt(address: string, username: string): number {
    const now = this.clock.monotonic();
    const [ofUser, ofAddress] = keys(address, username);
    const until = Math.max(
      this.fresh(ofUser, now)?.until ?? Number.NEGATIVE_INFINITY,
      this.fresh(ofAddress, now)?.until ?? Number.NEGATIVE_INFINITY,
    );
    if (until > now) return Math.ceil((until - now) / 1000);
    this.count(ofUser, FREE_ATTEMPTS, now);
    this.count(ofAddress, FREE_OF_ADDRESS, now);
    return 0;
  }

  /** Takes an attempt back whose password was right; the user's wrong ones from this address are forgotten. */
  succeeded(address: string, username: string): void {
    const [ofUser, ofAddress] = keys(address, username);
    this.entries.delete(ofUser);
    const entry = this.entries.get(ofAddress);
    if (!entry) return;
    entry.failures--;
    entry.until = Number.NEGATIVE_INFINITY;
    if (entry.failures <= 0) this.entries.delete(ofAddress);
  }

  private count(key: string, free: number, now: number): void {
    const failures = (this.fresh(key, now)?.failures ?? 0) + 1;
    const over = failures - free;
    const wait = over < 0 ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(over, 16));
    this.entries.delete(key);
    this.entries.set(key, { failures, last: now, until: wait === 0 ? Number.NEGATIVE_INFINITY : now + wait });
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= MAX_ENTRIES) break;
      this.entries.delete(oldest);
    }
  }

  private fresh(key: string, now: number): Entry | undefined {
    const entry = this.entries.get(key);
    if (entry && now - entry.last > FORGET_MS) {
      this.entries.delete(key);
      return undefined;
    }
    return entry;
  }
}

/** Names of users may be anything, so they are cut: a long one must not cost memory. */
function keys(address: string, username: string): [user: string, address: string] {
  const from = networkOf(address);
  return [`${from} ${username.slice(0, 64)}`, from];
}

/** An IPv6 host has a whole /64 to come from: it counts as one. IPv4 addresses stand for themselves. */
function networkOf(address: string): string {
  if (isIP(address) !== 6 || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const filled = [...groups, ...Array(Math.max(0, 8 - groups.length - after.length)).fill('0'), ...after];
  return `${filled.slice(0, 4).join(':')}::/64`;
}
