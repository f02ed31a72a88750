import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { errnoCode, WharfError } from '../base/index.ts';
import { RouteSocket, watchRoutes, withNetns } from '../sys/index.ts';
import { HostNamespaces } from './host-namespaces.ts';
import { hostRules } from './host-rules.ts';
import type { BridgePlan, InterfacePlan, NetworkKernel, ParentedPlan, VethPlan } from './kernel.ts';
import { macFrom } from './mac.ts';

const GLOBAL_SCOPE = 0;

/** An interface on a link of the host, in this namespace where no other is given. */
type ParentedLink = { name: string; netns?: number } & Pick<ParentedPlan, 'parent'> &
  Partial<Pick<ParentedPlan, 'mode' | 'mac' | 'mtu'>> & { flag?: string | undefined };

/** The kernel of this host, in the network namespace where the daemon runs. */
export class HostKernel implements NetworkKernel {
  readonly namespaces = new HostNamespaces();
  readonly rules = hostRules;
  private readonly route = RouteSocket.open();
  /** Kinds of interfaces that this kernel was seen to have. */
  private readonly kinds = new Set<ParentedPlan['kind']>();

  occupiedRanges(exceptLinks: ReadonlySet<string>): string[] {
    const links = this.route.links().filter(({ name }) => exceptLinks.has(name));
    const except = new Set(links.map(({ index }) => index));
    const others = ({ linkIndex }: { linkIndex?: number }) =>
      linkIndex === undefined || !except.has(linkIndex);
    const addresses = this.route.addresses().filter(others);
    const routes = this.route.routes().filter(others);
    return [...addresses.map(({ cidr }) => cidr), ...routes.flatMap(({ dst }) => dst ?? [])];
  }

  ensureBridge({ name, cidrs, mtu, ipv6, foreign }: BridgePlan): void {
    const link = this.route.link(name);
    if (link && link.kind !== 'bridge')
      throw new WharfError('conflict', `existing interface ${name} is not a bridge`);
    if (!link) {
      this.route.addBridge(name, { mtu });
      // Otherwise a bridge takes the lowest address of its ports, and its neighbours' tables go stale when one joins.
      this.route.setMac(name, macFrom(cidrs[0]?.split('/')[0] ?? '', name));
    } else if (link.mtu !== mtu && !foreign) this.route.setMtu(name, mtu);
    // A container must not become the host's router, nor get at it by link-local addresses (CVE-2020-13401).
    sysctl(`net/ipv6/conf/${name}/accept_ra`, '0');
    // Its addresses are ours to give: without a look for duplicates it can ask for neighbours from the first moment on.
    if (ipv6) sysctl(`net/ipv6/conf/${name}/accept_dad`, '0');
    if (!foreign || ipv6) sysctl(`net/ipv6/conf/${name}/disable_ipv6`, ipv6 ? '0' : '1');
    const present = link ? globalAddresses(this.route, name) : [];
    for (const cidr of present) if (!foreign && !cidrs.includes(cidr)) this.route.deleteAddress(name, cidr);
    for (const cidr of cidrs) if (!present.includes(cidr)) this.route.addAddress(name, cidr);
    if (!link?.up) this.route.setUp(name);
  }

  addressesOf(name: string): string[] {
    return this.hasLink(name) ? globalAddresses(this.route, name) : [];
  }

  removeAddresses(name: string, cidrs: readonly string[]): void {
    for (const cidr of this.addressesOf(name)) if (cidrs.includes(cidr)) this.route.deleteAddress(name, cidr);
  }

  bridgeProblems({ name, cidrs }: BridgePlan): string[] {
    const link = this.route.link(name);
    if (!link) return [`bridge ${name} is missing`];
    const problems = link.up ? [] : [`bridge ${name} is down`];
    const present = globalAddresses(this.route, name);
    for (const cidr of cidrs)
      if (!present.includes(cidr)) problems.push(`bridge ${name} lacks the address ${cidr}`);
    return problems;
  }

  ensureVlan({ name, parent, id }: { name: string; parent: string; id: number }): void {
    if (!this.hasLink(name)) this.route.addVlan({ name, parent, id });
    this.route.setUp(name);
  }

  ensureDummy(name: string): void {
    if (!this.hasLink(name)) this.route.addDummy(name);
    this.route.setUp(name);
  }

  checkKind(kind: ParentedPlan['kind']): void {
    if (this.kinds.has(kind)) return;
    try {
      this.addParented(kind, { name: 'wharf-probe', parent: 'lo' });
      this.route.deleteLink('wharf-probe');
    } catch (thrown) {
      // The kind is looked up first; that a loopback can't be its parent comes after.
      if (thrown instanceof WharfError && thrown.kind === 'not-implemented') throw lacking(kind, thrown);
    }
    this.kinds.add(kind);
  }

  allowLoopback(bridge: string): void {
    sysctl(`net/ipv4/conf/${bridge}/route_localnet`, '1');
  }

  enableForwarding(family: 4 | 6): boolean {
    const switch_ = family === 4 ? 'net/ipv4/ip_forward' : 'net/ipv6/conf/all/forwarding';
    if (readSysctl(switch_) !== '0') return false;
    if (family === 6) keepRouterAdvertisements();
    sysctl(switch_, '1');
    return true;
  }

  hasLink(name: string): boolean {
    return this.route.link(name) !== undefined;
  }

  isPort(link: string, bridge: string): boolean {
    const master = this.route.link(link)?.master;
    return master !== undefined && master === this.route.link(bridge)?.index;
  }

  links(): Map<string, { up: boolean; bridge?: string }> {
    const links = this.route.links();
    const names = new Map(links.map(({ index, name }) => [index, name]));
    return new Map(
      links.map(({ name, up, master }) => {
        const bridge = master === undefined ? undefined : names.get(master);
        return [name, { up, ...(bridge === undefined ? {} : { bridge }) }];
      }),
    );
  }

  attach(link: string, bridge: string, isolated: boolean): void {
    try {
      this.route.setMaster(link, bridge);
      this.route.setHairpin(link, true);
      if (isolated) this.route.setIsolated(link, true);
      this.route.setUp(link);
    } catch (thrown) {
      // br_add_if() answers EXFULL at 1,023 ports.
      if (thrown instanceof WharfError && errnoCode(thrown.cause) === 'EXFULL')
        throw new WharfError('exhausted', `bridge ${bridge} has no port left (a Linux bridge has 1023)`, {
          cause: thrown,
        });
      throw thrown;
    }
  }

  deleteLink(name: string): void {
    this.route.deleteLink(name);
  }

  plug(plan: VethPlan): void {
    const { pin, interfaceName, hostInterface, mac, mtu, bridge, isolated } = plan;
    withPin(pin, (netns) => {
      const peer = { peerName: interfaceName, peerNetns: netns, peerMac: mac };
      this.route.addVethPair({ name: hostInterface, ...peer, mtu });
      try {
        dress(plan, netns);
        sysctl(`net/ipv6/conf/${hostInterface}/disable_ipv6`, '1');
        this.attach(hostInterface, bridge, isolated);
      } catch (thrown) {
        this.route.deleteLink(hostInterface);
        throw thrown;
      }
    });
  }

  plugParented(plan: ParentedPlan): void {
    const { pin, kind, parent, mode, flag, mac, mtu, interfaceName: name } = plan;
    withPin(pin, (netns) => {
      this.addParented(kind, { name, parent, netns, mode, flag, mac, mtu });
      try {
        dress(plan, netns);
      } catch (thrown) {
        this.namespaces.unplug(pin, name);
        throw thrown;
      }
    });
  }

  watchRoutes(changed: () => void): Disposable {
    return watchRoutes(changed);
  }

  [Symbol.dispose](): void {
    this.route.close();
  }

  /** Modes and flags were checked when the network was made. */
  private addParented(kind: ParentedPlan['kind'], asked: ParentedLink): void {
    const { name, parent, netns, mode, flag, mac, mtu } = asked;
    const link = { name, parent, ...(netns === undefined ? {} : { netns }), ...(mtu ? { mtu } : {}) };
    if (kind === 'macvlan')
      this.route.addMacvlan({ ...link, mode: (mode ?? 'bridge') as 'bridge', ...(mac ? { mac } : {}) });
    else
      this.route.addIpvlan({
        ...link,
        mode: (mode ?? 'l2') as 'l2',
        ...(flag ? { flag: flag as 'bridge' } : {}),
      });
  }
}

function lacking(kind: string, cause: WharfError): WharfError {
  const text = `operation not supported: the kernel may lack the module ${kind}`;
  return new WharfError('not-implemented', text, { cause });
}

function withPin(pin: string, work: (netns: number) => void): void {
  const netns = openSync(pin, 'r');
  try {
    work(netns);
  } finally {
    closeSync(netns);
  }
}

/** Settings, addresses and `up` for an interface that is in its namespace already. */
function dress({ interfaceName, ipv6, cidrs, sysctls }: InterfacePlan, netns: number): void {
  using inside = withNetns(netns, () => {
    if (ipv6)
      for (const setting of ['accept_dad', 'accept_ra'])
        sysctl(`net/ipv6/conf/${interfaceName}/${setting}`, '0');
    sysctl(`net/ipv6/conf/${interfaceName}/disable_ipv6`, ipv6 ? '0' : '1');
    for (const { path, value } of sysctls) writeAsked(path, value);
    return RouteSocket.open();
  });
  for (const cidr of cidrs) inside.addAddress(interfaceName, cidr);
  inside.setUp(interfaceName);
}

function globalAddresses(route: RouteSocket, link: string): string[] {
  return route
    .addresses(link)
    .filter(({ family, scope }) => family === 4 || scope === GLOBAL_SCOPE)
    .map(({ cidr }) => cidr);
}

/** Writes a sysctl of the thread's network namespace; one the kernel does not have (IPv6 left out) is as good as off. */
function sysctl(path: string, value: string): void {
  try {
    writeFileSync(`/proc/sys/${path}`, value);
  } catch (thrown) {
    if (errnoCode(thrown) !== 'ENOENT') throw thrown;
  }
}

/** A sysctl that the user asked for. */
function writeAsked(path: string, value: string): void {
  try {
    writeFileSync(`/proc/sys/${path}`, value, { flag: 'r+' });
  } catch (thrown) {
    const file = `/proc/sys/${path}`;
    const text = errnoCode(thrown) === 'ENOENT' ? `${file} is not a sysctl file` : `${file}: ${thrown}`;
    throw new WharfError('invalid', text, { cause: thrown });
  }
}

function readSysctl(path: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${path}`, 'latin1').trim();
  } catch {
    return undefined;
  }
}

/** A host that forwards ignores the routers around it, and would lose its own way out, unless told otherwise (accept_ra 2). */
function keepRouterAdvertisements(): void {
  for (const name of readdirSync('/proc/sys/net/ipv6/conf')) {
    const path = `net/ipv6/conf/${name}/accept_ra`;
    if (name !== 'all' && readSysctl(path) === '1') sysctl(path, '2');
  }
}
