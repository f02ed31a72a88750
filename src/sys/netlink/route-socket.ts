import { WharfError } from '../../base/index.ts';
import { isErrno } from '../errno.ts';
import { type Fd, fdNumber } from '../fd.ts';
import { withNetns } from '../netns-switch.ts';
import { AF_INET6, addressBytes, broadcastOf, macBytes, parseCidr } from './address.ts';
import { decodeAddress, decodeLink, decodeLinkStats, decodeRoute, IFF_UP, IFLA } from './decode.ts';
import { type Message, MessageWriter, NLM } from './message.ts';
import { NetlinkSocket } from './socket.ts';
import type { Link, LinkAddress, LinkStats, Route } from './types.ts';

const NETLINK_ROUTE = 0;
const AF_BRIDGE = 7;
const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  SETLINK: 19,
  NEWADDR: 20,
  GETADDR: 22,
  NEWROUTE: 24,
  GETROUTE: 26,
} as const;

/** A new pair of virtual interfaces, both ends named at once. */
export interface VethPair {
  name: string;
  peerName: string;
  /** The namespace in which the peer is made; this socket's own when left out. */
  peerNetns?: Fd | number | undefined;
  mtu?: number;
  mac?: string;
  peerMac?: string;
}

/**
 * rtnetlink in the namespace where the socket was opened, wherever the thread goes later. Every call is one or two
 * synchronous exchanges of tens of microseconds. Errors carry the kernel's text and the errno (ENODEV is a link that is
 * not there, EEXIST a name or an address in use).
 */
export class RouteSocket implements Disposable {
  private readonly socket: NetlinkSocket;

  private constructor(socket: NetlinkSocket) {
    this.socket = socket;
  }

  /** Opens a socket in the present namespace, or in the one pinned at `netnsPath`. */
  static open(netnsPath?: string): RouteSocket {
    const make = () => new RouteSocket(new NetlinkSocket(NETLINK_ROUTE));
    return netnsPath === undefined ? make() : withNetns(netnsPath, make);
  }

  /** All interfaces. */
  links(): Link[] {
    return this.socket.query(RTM.GETLINK, NLM.DUMP, linkMessage({}), 'list links').map(decodeLink);
  }

  /** One interface by name, or undefined. */
  link(name: string): Link | undefined {
    const message = getLink(this.socket, name);
    return message && decodeLink(message);
  }

  /** Makes a bridge. It is down and without an address. */
  addBridge(name: string, options: { mtu?: number } = {}): void {
    const message = linkMessage({ name });
    if (options.mtu) message.u32(IFLA.MTU, options.mtu);
    message.nest(IFLA.LINKINFO, (info) => info.text(IFLA.INFO_KIND, 'bridge'));
    this.socket.execute(RTM.NEWLINK, NLM.CREATE | NLM.EXCL, message, `add bridge ${name}`);
  }

  /** Makes a veth pair; moving an end into another namespace afterwards would cost ten times as much. */
  addVethPair(pair: VethPair): void {
    const message = linkMessage({ name: pair.name });
    if (pair.mtu) message.u32(IFLA.MTU, pair.mtu);
    if (pair.mac) message.bytes(IFLA.ADDRESS, macBytes(pair.mac));
    message.nest(IFLA.LINKINFO, (info) => {
      info.text(IFLA.INFO_KIND, 'veth');
      info.nest(IFLA.INFO_DATA, (data) => {
        data.nest(IFLA.VETH_INFO_PEER, (peer) => {
          peer.fixed(ifinfo({})).text(IFLA.IFNAME, interfaceName(pair.peerName));
          if (pair.mtu) peer.u32(IFLA.MTU, pair.mtu);
          if (pair.peerMac) peer.bytes(IFLA.ADDRESS, macBytes(pair.peerMac));
          if (pair.peerNetns !== undefined) peer.u32(IFLA.NET_NS_FD, fdNumber(pair.peerNetns));
        });
      });
    });
    this.socket.execute(
      RTM.NEWLINK,
      NLM.CREATE | NLM.EXCL,
      message,
      `add veth ${pair.name} ${pair.peerName}`,
    );
  }

  /** Brings an interface up. */
  setUp(link: string | number): void {
    setLink(this.socket, link, 'set up', { flags: IFF_UP, change: IFF_UP });
  }

  /** Makes an interface a port of a bridge (by name or index; 0 takes it out). */
  setMaster(link: string | number, bridge: string | number): void {
    const index = indexOf(this.socket, bridge);
    setLink(this.socket, link, 'set master of', {}, (message) => message.u32(IFLA.MASTER, index));
  }

  setMac(link: string | number, mac: string): void {
    setLink(this.socket, link, 'set address of', {}, (message) => message.bytes(IFLA.ADDRESS, macBytes(mac)));
  }

  setMtu(link: string | number, mtu: number): void {
    setLink(this.socket, link, 'set mtu of', {}, (message) => message.u32(IFLA.MTU, mtu));
  }

  /** Lets a bridge port send a frame back where it came from, so that a container reaches its own published port. */
  setHairpin(link: string | number, on: boolean): void {
    const message = linkMessage({ family: AF_BRIDGE, index: indexOf(this.socket, link) });
    message.nest(IFLA.PROTINFO, (port) => port.u8(IFLA.BRPORT_MODE, on ? 1 : 0), true);
    this.socket.execute(RTM.SETLINK, 0, message, `set hairpin of ${link}`);
  }

  /** Adds `address/prefix`. An IPv6 address is usable at once: duplicate detection is left out, as addresses are ours to give. */
  addAddress(link: string | number, cidr: string): void {
    const parsed = parseCidr(cidr);
    const fixed = Buffer.alloc(8);
    fixed.writeUInt8(parsed.family, 0);
    fixed.writeUInt8(parsed.prefix, 1);
    const IFA_F_NODAD = 2;
    fixed.writeUInt8(parsed.family === AF_INET6 ? IFA_F_NODAD : 0, 2);
    fixed.writeUInt32LE(indexOf(this.socket, link), 4);
    const message = new MessageWriter().fixed(fixed).bytes(2, parsed.bytes).bytes(1, parsed.bytes);
    const broadcast = broadcastOf(parsed);
    if (broadcast) message.bytes(4, broadcast);
    this.socket.execute(RTM.NEWADDR, NLM.CREATE | NLM.EXCL, message, `add address ${cidr} to ${link}`);
  }

  /** Addresses of one interface or of all. */
  addresses(link?: string | number): LinkAddress[] {
    const index = link === undefined ? undefined : indexOf(this.socket, link);
    const message = new MessageWriter().fixed(Buffer.alloc(8));
    const all = this.socket.query(RTM.GETADDR, NLM.DUMP, message, 'list addresses').map(decodeAddress);
    return index === undefined ? all : all.filter((address) => address.linkIndex === index);
  }

  /** Adds a route; without `dst` the default one. `gateway` or `dev` must be given. */
  addRoute(route: { dst?: string; gateway?: string; dev?: string | number }): void {
    const dst = route.dst === undefined || route.dst === 'default' ? undefined : parseCidr(route.dst);
    const gateway = route.gateway === undefined ? undefined : addressBytes(route.gateway);
    if (!gateway && route.dev === undefined)
      throw new WharfError('invalid', 'a route needs a gateway or a device');
    const bytes = dst?.bytes ?? gateway ?? Buffer.alloc(4);
    const [main, boot, unicast] = [254, 3, 1];
    const scope = gateway || bytes.length === 16 ? 0 : 253;
    const fixed = Buffer.alloc(12);
    fixed.set([bytes.length === 16 ? AF_INET6 : 2, dst?.prefix ?? 0, 0, 0, main, boot, scope, unicast]);
    const message = new MessageWriter().fixed(fixed);
    if (dst) message.bytes(1, dst.bytes);
    if (gateway) message.bytes(5, gateway);
    if (route.dev !== undefined) message.u32(4, indexOf(this.socket, route.dev));
    const what = `add route ${route.dst ?? 'default'} via ${route.gateway ?? route.dev}`;
    this.socket.execute(RTM.NEWROUTE, NLM.CREATE | NLM.EXCL, message, what);
  }

  /** The unicast routes of the main table, both families. */
  routes(): Route[] {
    const message = new MessageWriter().fixed(Buffer.alloc(12));
    const all = this.socket.query(RTM.GETROUTE, NLM.DUMP, message, 'list routes').map(decodeRoute);
    return all.filter((route) => route !== undefined);
  }

  /** Removes an interface; false when it was not there. A veth takes 12–20 ms: not for the hot path. */
  deleteLink(link: string | number): boolean {
    try {
      this.socket.execute(RTM.DELLINK, 0, target(link), `delete ${link}`);
      return true;
    } catch (thrown) {
      if (isErrno(thrown, 'ENODEV')) return false;
      throw thrown;
    }
  }

  /** Counters of an interface, or undefined when it is not there. */
  linkStats(name: string): LinkStats | undefined {
    const message = getLink(this.socket, name);
    return message && decodeLinkStats(message);
  }

  close(): void {
    this.socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function getLink(socket: NetlinkSocket, link: string): Message | undefined {
  try {
    return socket.query(RTM.GETLINK, 0, target(link), `get ${link}`)[0];
  } catch (thrown) {
    if (isErrno(thrown, 'ENODEV')) return undefined;
    throw thrown;
  }
}

function indexOf(socket: NetlinkSocket, link: string | number): number {
  if (typeof link === 'number') return link;
  const found = getLink(socket, link);
  if (!found) throw new WharfError('not-found', `no network interface ${link}`);
  return decodeLink(found).index;
}

function setLink(
  socket: NetlinkSocket,
  link: string | number,
  what: string,
  head: { flags?: number; change?: number },
  fill?: (message: MessageWriter) => void,
): void {
  const message = target(link, head);
  fill?.(message);
  socket.execute(RTM.NEWLINK, 0, message, `${what} ${link}`);
}

interface LinkHead {
  family?: number;
  index?: number;
  flags?: number;
  change?: number;
}

/** `struct ifinfomsg`. */
function ifinfo(head: LinkHead): Buffer {
  const fixed = Buffer.alloc(16);
  fixed.writeUInt8(head.family ?? 0, 0);
  fixed.writeInt32LE(head.index ?? 0, 4);
  fixed.writeUInt32LE(head.flags ?? 0, 8);
  fixed.writeUInt32LE(head.change ?? 0, 12);
  return fixed;
}

function linkMessage(head: LinkHead & { name?: string }): MessageWriter {
  const message = new MessageWriter().fixed(ifinfo(head));
  if (head.name !== undefined) message.text(IFLA.IFNAME, interfaceName(head.name));
  return message;
}

/** A message about an existing interface: the kernel finds it by index or, where that is zero, by name. */
function target(link: string | number, head: LinkHead = {}): MessageWriter {
  return linkMessage(typeof link === 'number' ? { ...head, index: link } : { ...head, name: link });
}

function interfaceName(name: string): string {
  if (name === '' || Buffer.byteLength(name) > 15 || /[\s/\0]/.test(name)) {
    throw new WharfError('invalid', `${JSON.stringify(name)} is not an interface name (1 to 15 bytes)`);
  }
  return name;
}
