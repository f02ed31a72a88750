import { WharfError } from '../../base/index.ts';
import { isErrno } from '../errno.ts';
import { macBytes } from './address.ts';
import { decodeLink, decodeLinkStats, IFF_UP, IFLA } from './decode.ts';
import {
  type Ipvlan,
  interfaceName,
  ipvlanMessage,
  type LinkHead,
  linkMessage,
  linkTarget,
  type Macvlan,
  macvlanMessage,
  plainLinkMessage,
  type VethPair,
  type Vlan,
  vethMessage,
  vlanMessage,
} from './link-message.ts';
import { type Message, type MessageWriter, NLM } from './message.ts';
import type { NetlinkSocket } from './socket.ts';
import type { Link, LinkStats } from './types.ts';

const AF_BRIDGE = 7;
const RTM = { NEWLINK: 16, DELLINK: 17, GETLINK: 18, SETLINK: 19 } as const;

/** The links of a namespace: the part of `RouteSocket` that makes, changes and removes them. */
export class LinkSocket {
  protected readonly socket: NetlinkSocket;

  protected constructor(socket: NetlinkSocket) {
    this.socket = socket;
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
    addLink(this.socket, 'bridge', name, plainLinkMessage('bridge', name, options.mtu));
  }

  /** Makes a link that swallows what is sent over it. `not-implemented` when the kernel has none, as with every kind. */
  addDummy(name: string): void {
    addLink(this.socket, 'dummy', name, plainLinkMessage('dummy', name));
  }

  /** Makes a veth pair; moving an end into another namespace afterwards would cost ten times as much. */
  addVethPair(pair: VethPair): void {
    addLink(this.socket, 'veth', `${pair.name} ${pair.peerName}`, vethMessage(pair));
  }

  /** Makes a macvlan, at once in the namespace it is for. EBUSY when the parent is a port of a bridge or has ipvlans. */
  addMacvlan(link: Macvlan): void {
    addLink(this.socket, 'macvlan', link.name, macvlanMessage(link, indexOf(this.socket, link.parent)));
  }

  /** Makes an ipvlan, at once in the namespace it is for. All ipvlans of one parent must have one mode. */
  addIpvlan(link: Ipvlan): void {
    addLink(this.socket, 'ipvlan', link.name, ipvlanMessage(link, indexOf(this.socket, link.parent)));
  }

  /** Makes a VLAN on another link. */
  addVlan(link: Vlan): void {
    addLink(this.socket, 'vlan', link.name, vlanMessage(link, indexOf(this.socket, link.parent)));
  }

  /** Gives an interface another name. EBUSY on older kernels while it is up. */
  renameLink(link: string | number, name: string): void {
    const index = indexOf(this.socket, link);
    const message = linkTarget(index).text(IFLA.IFNAME, interfaceName(name));
    this.socket.execute(RTM.NEWLINK, 0, message, `rename ${link} to ${name}`);
  }

  /** Brings an interface up. */
  setUp(link: string | number): void {
    setLink(this.socket, link, 'set up', { flags: IFF_UP, change: IFF_UP });
  }

  /** Takes an interface down; its routes go with that. */
  setDown(link: string | number): void {
    setLink(this.socket, link, 'set down', { flags: 0, change: IFF_UP });
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
    setPort(this.socket, link, 'hairpin', IFLA.BRPORT_MODE, on);
  }

  /** Forbids a bridge port to send to other isolated ports; the bridge itself and the others stay reachable. */
  setIsolated(link: string | number, on: boolean): void {
    setPort(this.socket, link, 'isolation', IFLA.BRPORT_ISOLATED, on);
  }

  /** Removes an interface; false when it was not there. A veth takes 12–20 ms: not for the hot path. */
  deleteLink(link: string | number): boolean {
    try {
      this.socket.execute(RTM.DELLINK, 0, linkTarget(link), `delete ${link}`);
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
}

/** The index of a link by name (`not-found` when there is none); a number is one already. */
export function indexOf(socket: NetlinkSocket, link: string | number): number {
  if (typeof link === 'number') return link;
  const found = getLink(socket, link);
  if (!found) throw new WharfError('not-found', `no network interface ${link}`);
  return decodeLink(found).index;
}

function getLink(socket: NetlinkSocket, link: string): Message | undefined {
  try {
    return socket.query(RTM.GETLINK, 0, linkTarget(link), `get ${link}`)[0];
  } catch (thrown) {
    if (isErrno(thrown, 'ENODEV')) return undefined;
    throw thrown;
  }
}

function addLink(socket: NetlinkSocket, kind: string, name: string, message: MessageWriter): void {
  try {
    socket.execute(RTM.NEWLINK, NLM.CREATE | NLM.EXCL, message, `add ${kind} ${name}`);
  } catch (thrown) {
    if (!isErrno(thrown, 'ENOTSUP', 'EOPNOTSUPP')) throw thrown;
    const { message: text, cause } = WharfError.from(thrown);
    throw new WharfError('not-implemented', `${text}; the kernel may lack the module ${kind}`, { cause });
  }
}

function setLink(
  socket: NetlinkSocket,
  link: string | number,
  what: string,
  head: LinkHead,
  fill?: (message: MessageWriter) => void,
): void {
  const message = linkTarget(link, head);
  fill?.(message);
  socket.execute(RTM.NEWLINK, 0, message, `${what} ${link}`);
}

function setPort(
  socket: NetlinkSocket,
  link: string | number,
  what: string,
  attribute: number,
  on: boolean,
): void {
  const message = linkMessage({ family: AF_BRIDGE, index: indexOf(socket, link) });
  message.nest(IFLA.PROTINFO, (port) => port.u8(attribute, on ? 1 : 0), true);
  socket.execute(RTM.SETLINK, 0, message, `set ${what} of ${link}`);
}
