import { WharfError } from '../../base/index.ts';
import { type Fd, fdNumber } from '../fd.ts';
import { macBytes } from './address.ts';
import { IFLA } from './decode.ts';
import { MessageWriter } from './message.ts';

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

/** What links on top of another one (`parent`, of the socket's namespace) have in common. */
interface UpperLink {
  name: string;
  parent: string | number;
  /** The namespace in which it is made; this socket's own when left out. */
  netns?: Fd | number | undefined;
  mtu?: number;
}

/** A link with an address of its own on a parent's wire. */
export interface Macvlan extends UpperLink {
  mode: keyof typeof MACVLAN_MODES;
  mac?: string;
}

/** A link that shares its parent's hardware address. */
export interface Ipvlan extends UpperLink {
  mode: keyof typeof IPVLAN_MODES;
  /** How siblings reach each other; `bridge` when left out. */
  flag?: keyof typeof IPVLAN_FLAGS;
}

/** IEEE 802.1Q: the part of the parent's traffic with the tag `id`. */
export interface Vlan {
  name: string;
  parent: string | number;
  /** 1 to 4094. */
  id: number;
}

// The numbers of linux/if_link.h.
const MACVLAN_MODES = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;
const IPVLAN_MODES = { l2: 0, l3: 1, l3s: 2 } as const;
const IPVLAN_FLAGS = { bridge: 0, private: 1, vepa: 2 } as const;
const INFO_VLAN_ID = 1;
const INFO_MODE = 1;
const INFO_IPVLAN_FLAGS = 2;

/** The head of a message about links; the kernel finds a link by index or, where that is zero, by name. */
export interface LinkHead {
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

/** A message about links. `invalid` when the name is none for an interface. */
export function linkMessage(head: LinkHead & { name?: string }): MessageWriter {
  const message = new MessageWriter().fixed(ifinfo(head));
  if (head.name !== undefined) message.text(IFLA.IFNAME, interfaceName(head.name));
  return message;
}

/** A message about an existing link. */
export function linkTarget(link: string | number, head: LinkHead = {}): MessageWriter {
  return linkMessage(typeof link === 'number' ? { ...head, index: link } : { ...head, name: link });
}

/** Returns the name, or throws `invalid` when it is none for an interface. */
export function interfaceName(name: string): string {
  if (name === '' || Buffer.byteLength(name) > 15 || /[\s/\0]/.test(name)) {
    throw new WharfError('invalid', `${JSON.stringify(name)} is not an interface name (1 to 15 bytes)`);
  }
  return name;
}

/** RTM_NEWLINK of a kind without options: `bridge`, `dummy`. */
export function plainLinkMessage(kind: string, name: string, mtu?: number): MessageWriter {
  const message = linkMessage({ name });
  if (mtu) message.u32(IFLA.MTU, mtu);
  return message.nest(IFLA.LINKINFO, (info) => info.text(IFLA.INFO_KIND, kind));
}

/** RTM_NEWLINK of a veth pair. */
export function vethMessage(pair: VethPair): MessageWriter {
  const message = linkMessage({ name: pair.name });
  if (pair.mtu) message.u32(IFLA.MTU, pair.mtu);
  if (pair.mac) message.bytes(IFLA.ADDRESS, macBytes(pair.mac));
  return withInfo(message, 'veth', (data) => {
    data.nest(IFLA.VETH_INFO_PEER, (peer) => {
      peer.fixed(ifinfo({})).text(IFLA.IFNAME, interfaceName(pair.peerName));
      if (pair.mtu) peer.u32(IFLA.MTU, pair.mtu);
      if (pair.peerMac) peer.bytes(IFLA.ADDRESS, macBytes(pair.peerMac));
      if (pair.peerNetns !== undefined) peer.u32(IFLA.NET_NS_FD, fdNumber(pair.peerNetns));
    });
  });
}

/** RTM_NEWLINK of a macvlan on the link of that index. */
export function macvlanMessage(link: Macvlan, parentIndex: number): MessageWriter {
  const message = upperMessage(link, parentIndex);
  if (link.mac) message.bytes(IFLA.ADDRESS, macBytes(link.mac));
  return withInfo(message, 'macvlan', (data) => data.u32(INFO_MODE, MACVLAN_MODES[link.mode]));
}

/** RTM_NEWLINK of an ipvlan on the link of that index. */
export function ipvlanMessage(link: Ipvlan, parentIndex: number): MessageWriter {
  return withInfo(upperMessage(link, parentIndex), 'ipvlan', (data) =>
    data.u16(INFO_MODE, IPVLAN_MODES[link.mode]).u16(INFO_IPVLAN_FLAGS, IPVLAN_FLAGS[link.flag ?? 'bridge']),
  );
}

/** RTM_NEWLINK of a VLAN on the link of that index. `invalid` when the id is none. */
export function vlanMessage(link: Vlan, parentIndex: number): MessageWriter {
  if (!Number.isInteger(link.id) || link.id < 1 || link.id > 4094)
    throw new WharfError('invalid', `${link.id} is not a VLAN id (1 to 4094)`);
  return withInfo(upperMessage(link, parentIndex), 'vlan', (data) => data.u16(INFO_VLAN_ID, link.id));
}

function upperMessage(link: UpperLink, parentIndex: number): MessageWriter {
  const message = linkMessage({ name: link.name }).u32(IFLA.LINK, parentIndex);
  if (link.netns !== undefined) message.u32(IFLA.NET_NS_FD, fdNumber(link.netns));
  if (link.mtu) message.u32(IFLA.MTU, link.mtu);
  return message;
}

function withInfo(message: MessageWriter, kind: string, fill: (data: MessageWriter) => void): MessageWriter {
  return message.nest(IFLA.LINKINFO, (info) => {
    info.text(IFLA.INFO_KIND, kind).nest(IFLA.INFO_DATA, fill);
  });
}
