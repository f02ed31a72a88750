import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { errnoCode, WharfError } from '../base/index.ts';
import { createNetns, deleteNetns, mount, nftJson, RouteSocket, runNft, withNetns } from '../sys/index.ts';
import { macOf, parseSubnet } from './addresses/address.ts';
import type { Range } from './addresses/pools.ts';
import type { NetworkKernel, NftObject, PlugRequest } from './kernel.ts';
import type { InterfaceCounters } from './types.ts';

const OWN_NAMESPACE = '/proc/self/ns/net';

/** The kernel of this host, in the network namespace where the daemon runs. */
export class HostKernel implements NetworkKernel {
  private readonly route = RouteSocket.open();

  occupiedRanges(exceptLink: string): Range[] {
    const except = this.route.link(exceptLink)?.index;
    const others = <T extends { linkIndex?: number; family: number }>(entry: T) =>
      entry.family === 4 && (except === undefined || entry.linkIndex !== except);
    const written = [
      ...this.route
        .addresses()
        .filter(others)
        .map(({ cidr }) => cidr),
      ...this.route
        .routes()
        .filter(others)
        .flatMap(({ dst }) => dst ?? []),
    ];
    return written.map(parseSubnet);
  }

  ensureBridge({ name, cidr, mtu }: { name: string; cidr: string; mtu: number }): void {
    let link = this.route.link(name);
    if (link && link.kind !== 'bridge')
      throw new WharfError(
        'conflict',
        `${name} is a link of another kind (${link.kind ?? 'hardware'}), not a bridge`,
      );
    const addresses = link ? ipv4Addresses(this.route, name) : [];
    if (link && addresses.some((address) => address !== cidr)) {
      // An address of another configuration: nothing on this bridge could be reached through it.
      this.route.deleteLink(name);
      link = undefined;
    }
    if (!link) {
      this.route.addBridge(name, { mtu });
      // Otherwise a bridge takes the lowest address of its ports, and its neighbours' tables go stale when one joins.
      this.route.setMac(name, macOf(cidr.split('/')[0]!));
    } else if (link.mtu !== mtu) this.route.setMtu(name, mtu);
    // A container must not become the host's router, nor get at it by link-local addresses (CVE-2020-13401).
    sysctl(`net/ipv6/conf/${name}/accept_ra`, '0');
    sysctl(`net/ipv6/conf/${name}/disable_ipv6`, '1');
    if (!link || addresses.length === 0) this.route.addAddress(name, cidr);
    if (!link?.up) this.route.setUp(name);
  }

  bridgeProblems({ name, cidr }: { name: string; cidr: string }): string[] {
    const link = this.route.link(name);
    if (!link) return [`bridge ${name} is missing`];
    const problems = link.up ? [] : [`bridge ${name} is down`];
    if (!ipv4Addresses(this.route, name).includes(cidr))
      problems.push(`bridge ${name} lacks the address ${cidr}`);
    return problems;
  }

  allowLoopback(bridge: string): void {
    sysctl(`net/ipv4/conf/${bridge}/route_localnet`, '1');
  }

  enableForwarding(): boolean {
    if (readFileSync('/proc/sys/net/ipv4/ip_forward', 'latin1').trim() === '1') return false;
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
    return true;
  }

  hasLink(name: string): boolean {
    return this.route.link(name) !== undefined;
  }

  bridgePorts(bridge: string): Set<string> {
    const links = this.route.links();
    const index = links.find(({ name }) => name === bridge)?.index;
    if (index === undefined) return new Set();
    return new Set(links.filter(({ master }) => master === index).map(({ name }) => name));
  }

  attach(link: string, bridge: string): void {
    this.route.setMaster(link, bridge);
    this.route.setHairpin(link, true);
    this.route.setUp(link);
  }

  deleteLink(name: string): void {
    this.route.deleteLink(name);
  }

  createNamespace(pin: string): void {
    createNetns(pin);
  }

  pinHost(pin: string): void {
    writeFileSync(pin, '', { flag: 'a', mode: 0o444 });
    mount({ source: OWN_NAMESPACE, target: pin, flags: ['bind'] });
  }

  dropNamespace(pin: string): void {
    deleteNetns(pin);
  }

  isPinned(pin: string): boolean {
    try {
      // Every namespace file lies on the kernel's one nsfs.
      return statSync(pin).dev === statSync(OWN_NAMESPACE).dev;
    } catch {
      return false;
    }
  }

  plug(request: PlugRequest): void {
    const { pin, interfaceName, hostInterface, mac, cidr, gateway, mtu } = request;
    const netns = openSync(pin, 'r');
    try {
      this.route.addVethPair({
        name: hostInterface,
        peerName: interfaceName,
        peerNetns: netns,
        peerMac: mac,
        mtu,
      });
      using inside = withNetns(netns, () => {
        sysctl(`net/ipv6/conf/${interfaceName}/disable_ipv6`, '1');
        return RouteSocket.open();
      });
      inside.addAddress(interfaceName, cidr);
      inside.setUp(interfaceName);
      this.plugHostEnd(hostInterface, request.bridge);
      inside.addRoute({ gateway });
    } finally {
      closeSync(netns);
    }
  }

  setMac(pin: string, interfaceName: string, mac: string): void {
    using inside = RouteSocket.open(pin);
    inside.setMac(interfaceName, mac);
  }

  counters(pin: string, interfaceNames: readonly string[]): Record<string, InterfaceCounters> {
    using inside = RouteSocket.open(pin);
    const found: Record<string, InterfaceCounters> = {};
    for (const name of interfaceNames) {
      const stats = inside.linkStats(name);
      if (stats) found[name] = stats;
    }
    return found;
  }

  nft(script: string): void {
    runNft(script);
  }

  nftObjects(command: string): NftObject[] | undefined {
    try {
      const answer = nftJson(command);
      return typeof answer === 'object' && answer !== null && 'nftables' in answer
        ? (answer.nftables as NftObject[])
        : [];
    } catch (thrown) {
      if (thrown instanceof WharfError && /No such file or directory/.test(thrown.message)) return undefined;
      throw thrown;
    }
  }

  [Symbol.dispose](): void {
    this.route.close();
  }

  private plugHostEnd(hostInterface: string, bridge: string): void {
    sysctl(`net/ipv6/conf/${hostInterface}/disable_ipv6`, '1');
    try {
      this.attach(hostInterface, bridge);
    } catch (thrown) {
      // br_add_if() answers EXFULL at 1,023 ports.
      if (thrown instanceof WharfError && errnoCode(thrown.cause) === 'EXFULL')
        throw new WharfError('exhausted', `bridge ${bridge} has no port left (a Linux bridge has 1023)`, {
          cause: thrown,
        });
      throw thrown;
    }
  }
}

function ipv4Addresses(route: RouteSocket, link: string): string[] {
  return route
    .addresses(link)
    .filter(({ family }) => family === 4)
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
