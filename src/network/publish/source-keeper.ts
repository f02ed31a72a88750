import { createHash } from 'node:crypto';
import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Logger } from '../../base/index.ts';
import {
  isErrno,
  type NftChange,
  RouteSocket,
  type RouteSpec,
  type RuleSpec,
  runNft,
  watchNftables,
} from '../../sys/index.ts';
import { type Destination, familyOf } from './held-port.ts';

/** How long what is known of the host's addresses is taken for true. */
const KNOWN_MS = 1000;

/** What keeping the sources of carried connections needs of the kernel; the seam that unit tests replace. */
export interface SourceKernel {
  nft(script: string): void;
  routes(): RouteSocket;
  interfaces: typeof networkInterfaces;
  watchNft(onChange: (change: NftChange) => void): Disposable;
}

const hostKernel: SourceKernel = {
  nft: runNft,
  routes: () => RouteSocket.open(),
  interfaces: networkInterfaces,
  watchNft: watchNftables,
};

/**
 * Lets the daemon speak to containers with its clients' addresses (IP_TRANSPARENT, ip(7)). The container's answers are for
 * the client, so they are led back to the daemon's socket: packets that the daemon marks mark their connection, answers of a
 * marked connection are marked, and a policy rule takes what is so marked as meant for this host. All that stands in a table,
 * a rule and a route of our own, from the first port that needs it to the last.
 */
export class SourceKeeper {
  private readonly log: Logger;
  private readonly table: string;
  private readonly kernel: SourceKernel;
  /** Of answers; also the number of the routing table. The daemon's own packets have the next one. */
  private readonly mark: number;
  /** Ports by container address. */
  private readonly users = new Map<string, number>();
  private watch: Disposable | undefined;
  private readonly subnets = new Map<string, BlockList>();
  private subnetsUntil = 0;

  constructor(options: { log: Logger; table: string; kernel?: SourceKernel }) {
    this.log = options.log;
    this.table = options.table;
    this.kernel = options.kernel ?? hostKernel;
    this.mark = markOf(options.table);
  }

  /** One more port keeps its clients' addresses towards that container. */
  acquire(container: string): void {
    const users = this.users.get(container) ?? 0;
    this.users.set(container, users + 1);
    if (users > 0) return;
    try {
      if (!this.watch) this.setUp();
      this.addWayTo(container);
    } catch (thrown) {
      this.log.warn('containers see the gateway instead of the clients of obeyed ports', { error: thrown });
    }
  }

  /** One less; with the last one everything goes. */
  release(container: string): void {
    const users = this.users.get(container) ?? 0;
    if (users > 1) this.users.set(container, users - 1);
    else this.users.delete(container);
    if (this.users.size === 0) this.drop();
    else if (users === 1) this.deleteWayTo(container);
  }

  /** Removes what an earlier process of the same table left, if nobody uses it. */
  dropStale(): void {
    if (this.users.size === 0 && this.dropRoutes()) this.dropTable();
  }

  /**
   * The mark for a socket that takes a client's address towards a container; undefined where it must not be taken: the
   * families differ, or the container would not answer by the gateway (the host's own addresses, neighbours on its network).
   */
  markFor(client: string, { ip, keepSource }: Destination): number | undefined {
    const family = familyOf(ip);
    if (!keepSource || !this.watch || client.includes('%') || familyOf(client) !== family) return undefined;
    return this.near(ip).check(client, `ipv${family}`) ? undefined : this.mark + 1;
  }

  /** The addresses of the host and the subnets in which the container is. */
  private near(container: string): BlockList {
    const now = performance.now();
    if (now > this.subnetsUntil) {
      this.subnets.clear();
      this.subnetsUntil = now + KNOWN_MS;
    }
    const known = this.subnets.get(container);
    if (known) return known;
    const near = this.computeNear(container);
    this.subnets.set(container, near);
    return near;
  }

  private computeNear(container: string): BlockList {
    const near = new BlockList();
    near.addSubnet('127.0.0.0', 8, 'ipv4');
    near.addAddress('::1', 'ipv6');
    for (const { address, cidr, family } of Object.values(this.kernel.interfaces()).flatMap(
      (all) => all ?? [],
    )) {
      const type = family === 'IPv6' ? 'ipv6' : 'ipv4';
      near.addAddress(address, type);
      if (cidr === null || (familyOf(container) === 6) !== (type === 'ipv6')) continue;
      if (covers(cidr, container)) near.addSubnet(address, Number(cidr.split('/')[1]), type);
    }
    return near;
  }

  private setUp(): void {
    this.kernel.nft(this.script());
    this.setRoutes();
    this.watch = this.kernel.watchNft((change) => this.repair(change));
  }

  /**
   * The sender of a marked answer is looked up in our table, too, where the host checks sources by mark (`src_valid_mark`, which
   * VPNs set). It must be found behind its bridge. IPv6 has no such check.
   */
  private addWayTo(container: string): void {
    const route = this.wayTo(container);
    if (!route) return;
    using routes = this.kernel.routes();
    try {
      routes.addRoute(route);
    } catch (thrown) {
      if (!isErrno(thrown, 'EEXIST')) throw thrown;
    }
  }

  private deleteWayTo(container: string): void {
    const route = this.wayTo(container);
    if (!route) return;
    try {
      using routes = this.kernel.routes();
      routes.deleteRoute(route);
    } catch (thrown) {
      this.log.debug('a route for obeyed ports stays behind', { error: thrown });
    }
  }

  private wayTo(container: string): RouteSpec | undefined {
    if (familyOf(container) === 6) return undefined;
    const dev = Object.entries(this.kernel.interfaces()).find(([, all]) =>
      all?.some((one) => one.family === 'IPv4' && one.cidr && covers(one.cidr, container)),
    )?.[0];
    return dev ? { dst: `${container}/32`, dev, table: this.mark } : undefined;
  }

  private script(): string {
    const own = `0x${(this.mark + 1).toString(16)}`;
    const answer = `0x${this.mark.toString(16)}`;
    return [
      `add table inet ${this.table}`,
      `delete table inet ${this.table}`,
      `table inet ${this.table} {`,
      ' chain output { type filter hook output priority mangle; policy accept;',
      `  meta mark ${own} ct mark set ${answer}`,
      ' }',
      ' chain prerouting { type filter hook prerouting priority mangle; policy accept;',
      `  ct direction reply ct mark ${answer} meta mark set ${answer}`,
      ' }',
      '}\n',
    ].join('\n');
  }

  private setRoutes(): void {
    using routes = this.kernel.routes();
    for (const family of [4, 6] as const) {
      for (const add of [
        () => routes.addRoute({ family, dev: 'lo', table: this.mark, type: 'local' }),
        () => routes.addRule(this.rule(family)),
      ]) {
        try {
          add();
        } catch (thrown) {
          // It is there from before, or the host has no IPv6.
          if (!isErrno(thrown, 'EEXIST') && (family === 4 || !isErrno(thrown, ...NO_IPV6))) throw thrown;
        }
      }
    }
  }

  /** True when there was anything. */
  private dropRoutes(): boolean {
    using routes = this.kernel.routes();
    let found = false;
    for (const family of [4, 6] as const) {
      try {
        if (routes.deleteRule(this.rule(family))) found = true;
        if (routes.deleteRoute({ family, dev: 'lo', table: this.mark, type: 'local' })) found = true;
        for (const { dst, linkIndex } of routes.routes(this.mark))
          if (dst) routes.deleteRoute({ dst, dev: linkIndex, table: this.mark });
      } catch (thrown) {
        if (family === 4 || !isErrno(thrown, ...NO_IPV6)) throw thrown;
      }
    }
    return found;
  }

  private drop(): void {
    this.watch?.[Symbol.dispose]();
    this.watch = undefined;
    try {
      this.dropRoutes();
      this.dropTable();
    } catch (thrown) {
      this.log.warn('a rule for obeyed ports stays behind', { table: this.table, error: thrown });
    }
  }

  private dropTable(): void {
    this.kernel.nft(`add table inet ${this.table}\ndelete table inet ${this.table}\n`);
  }

  /** Another program changed our table, or flushed all of them. */
  private repair({ pid, tables, deleted }: NftChange): void {
    if (pid === process.pid || (tables.size > 0 && !tables.has(this.table)) || !deleted) return;
    try {
      this.kernel.nft(this.script());
    } catch (thrown) {
      this.log.warn('the table for obeyed ports could not be restored', { table: this.table, error: thrown });
    }
  }

  private rule(family: 4 | 6): RuleSpec {
    return { family, mark: this.mark, mask: 0xffffffff, table: this.mark, priority: 100 };
  }
}

/** Whether an address is in the subnet that is written as one of its addresses with prefix length; both are of one family. */
function covers(cidr: string, address: string): boolean {
  const [base = '', prefix] = cidr.split('/');
  const subnet = new BlockList();
  subnet.addSubnet(base, Number(prefix), `ipv${familyOf(base)}`);
  return subnet.check(address, `ipv${familyOf(address)}`);
}

const NO_IPV6 = ['EAFNOSUPPORT', 'EOPNOTSUPP', 'EINVAL', 'ENODEV', 'EACCES'];

/** Daemons side by side have marks of their own. Bits that others are known to use alone (0x4000, 0x8000, 0x40000, 0x80000) are 0. */
function markOf(table: string): number {
  const hash = createHash('sha256').update(table).digest().readUInt16LE(0);
  return 0x57000000 + (hash & 0x1fff) * 2;
}
