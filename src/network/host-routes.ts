import {
  contains,
  formatRange,
  isDefaultLike,
  lastOf,
  overlaps,
  parseRange,
  type Range,
} from './addresses/address.ts';
import type { NetworkKernel } from './kernel.ts';
import type { NetworkRecord } from './types.ts';

/** A burst of starting containers, or a VPN that brings its routes one by one, is looked at once. In milliseconds. */
const SETTLE_MS = 300;

/** Every interface has an address in it: nobody's in particular. */
const LINK_LOCAL = parseRange('fe80::/10');

type ClashingNetwork = Pick<NetworkRecord, 'name' | 'driver' | 'pools'>;

/**
 * One sentence for each network whose addresses the host also has elsewhere, with the way out. `occupied` are the CIDRs of
 * the host's addresses and routes without those of our own bridges. The subnets of macvlan and ipvlan networks are those of
 * the host's own links, as they should be. A range that covers the world (a VPN's halves of the default route) clashes with
 * nothing.
 */
export function clashes(networks: readonly ClashingNetwork[], occupied: readonly string[]): string[] {
  const others = widest(occupied.map(parseRange));
  return networks
    .filter(({ driver }) => driver === 'bridge')
    .flatMap(({ name, pools }) =>
      pools.flatMap(({ subnet }) => {
        const range = parseRange(subnet);
        const found = others.filter((other) => overlaps(other, range)).map(formatRange);
        return found.length === 0 ? [] : sentence(name, subnet, found);
      }),
    );
}

function sentence(name: string, subnet: string, found: string[]): string {
  const routes = found.length === 1 ? 'a route' : 'routes';
  const cure =
    name === 'bridge'
      ? "Give it other addresses by the daemon's option bip (bip6 for IPv6), and restart the daemon without containers on it"
      : `Give the network other addresses with: wharf network renumber ${name}`;
  return (
    `network ${name} (${subnet}) overlaps ${routes} of this host to ${found.join(', ')}: ` +
    `hosts there and containers on the network hide each other. ${cure}`
  );
}

/** Ranges of sites, without those that lie in another: the address of an interface lies in the route to its link. */
function widest(ranges: Range[]): Range[] {
  const sites = ranges.filter((range) => !isDefaultLike(range) && !overlaps(range, LINK_LOCAL));
  sites.sort((left, right) => left.prefix - right.prefix);
  const found: Range[] = [];
  for (const range of sites) if (!found.some((wide) => covers(wide, range))) found.push(range);
  return found;
}

function covers(wide: Range, range: Range): boolean {
  return contains(wide, { family: range.family, value: range.base }) && lastOf(range) <= lastOf(wide);
}

/** What the watch looks at; asked anew at each change. */
export interface WatchedNetworks {
  kernel: Pick<NetworkKernel, 'occupiedRanges' | 'watchRoutes'>;
  networks(): readonly ClashingNetwork[];
  /** Names of the links that carry networks of ours. */
  ownLinks(): ReadonlySet<string>;
}

/**
 * Calls `tell` with the clashes there are now, if any, and later with those that appear (a VPN comes up, a cable is plugged
 * in), each once for as long as it lasts. Does not keep the process running.
 */
export function watchClashes(watched: WatchedNetworks, tell: (sentences: string[]) => void): Disposable {
  let known = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    timer = undefined;
    const now = clashes(watched.networks(), watched.kernel.occupiedRanges(watched.ownLinks()));
    const fresh = now.filter((one) => !known.has(one));
    known = new Set(now);
    if (fresh.length > 0) tell(fresh);
  };
  const watch = watched.kernel.watchRoutes(() => {
    timer ??= setTimeout(look, SETTLE_MS).unref();
  });
  look();
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      watch[Symbol.dispose]();
    },
  };
}
