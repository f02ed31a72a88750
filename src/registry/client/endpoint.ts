import { abortable } from '../../base/index.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { Candidate } from './endpoints.ts';
import { NetworkError } from './errors.ts';
import { follow } from './follow.ts';
import type { Net } from './net.ts';

/** Where a registry was found, and how it wants to be asked. */
export interface Reached {
  base: URL;
  /** From its last answer 401; empty when it lets everybody in. */
  challenges: Challenge[];
}

/**
 * A registry or mirror as a place on the network. It is looked for once, at the first request, by `GET /v2/`; a service that
 * has no such thing is `known` from the start.
 */
export class Endpoint {
  readonly candidates: readonly Candidate[];
  /** For a mirror that serves several registries: the one that is meant. */
  readonly namespace: string | undefined;
  private readonly net: Net;
  private found: Promise<Reached> | undefined;

  constructor(
    net: Net,
    candidates: readonly Candidate[],
    options: { namespace?: string | undefined; known?: Reached | undefined } = {},
  ) {
    this.net = net;
    this.candidates = candidates;
    this.namespace = options.namespace;
    this.found = options.known && Promise.resolve(options.known);
  }

  /** The first candidate that answers, whatever it answers. Errors: `unavailable` of the last one, `cancelled`. */
  reach(signal?: AbortSignal): Promise<Reached> {
    if (!this.found) {
      const found = this.probe();
      this.found = found;
      found.catch(() => {
        if (this.found === found) this.found = undefined;
      });
    }
    return abortable(this.found, signal);
  }

  /** Looks again at the next request: the registry may have moved from HTTP to HTTPS, or got another certificate. */
  forget(): void {
    this.found = undefined;
    for (const { base } of this.candidates) this.net.agents.forget(base);
  }

  private async probe(): Promise<Reached> {
    for (const [at, { base }] of this.candidates.entries()) {
      try {
        const response = await follow(this.net, { method: 'GET', url: new URL('v2/', base) });
        await response.discard();
        const challenges =
          response.status === 401 ? parseChallenges(response.headers['www-authenticate']) : [];
        return { base, challenges };
      } catch (thrown) {
        if (!(thrown instanceof NetworkError)) throw thrown;
        if (at === this.candidates.length - 1) throw unreached(thrown);
      }
    }
    throw new NetworkError('no address to reach the registry by', false);
  }
}

/** Nothing has been begun that a second try could save: who mistyped a host must not wait for all tries. A cut is no such case. */
function unreached(failure: NetworkError): NetworkError {
  const cut = failure.passing && /EOF$|reset by peer$/.test(failure.message);
  return new NetworkError(failure.message, cut, failure.cause);
}
