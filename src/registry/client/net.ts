import type { Clock } from '../../base/index.ts';
import type { Agents } from './agents.ts';
import type { InsecureHosts } from './endpoints.ts';
import type { TokenCache } from './tokens.ts';

/** What all requests of one `Registries` share. */
export interface Net {
  agents: Agents;
  insecure: InsecureHosts;
  tokens: TokenCache;
  clock: Clock;
  /** A number in [0, 1), for jitter. */
  random: () => number;
  userAgent: string;
  stallMs: number;
  attempts: number;
  /** Hosts that may see credentials of registries of other sites, beside the rule of `mayTellRealm`. */
  realms: readonly string[];
}
