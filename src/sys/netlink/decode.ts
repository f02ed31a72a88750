import { AF_INET, formatAddress, formatMac } from './address.ts';
import { attributeText, type Message, parseAttributes } from './message.ts';
import type { Link, LinkAddress, LinkStats, Route } from './types.ts';

/** Attribute numbers of linux/if_link.h. */
export const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  MASTER: 10,
  PROTINFO: 12,
  LINKINFO: 18,
  STATS64: 23,
  NET_NS_FD: 28,
  EXT_MASK: 29,
  INFO_KIND: 1,
  INFO_DATA: 2,
  VETH_INFO_PEER: 1,
  BRPORT_MODE: 4,
  BRPORT_ISOLATED: 33,
} as const;

export const IFF_UP = 1;
const IFF_RUNNING = 0x40;
const SIZE_OF_IFINFOMSG = 16;
const SIZE_OF_IFADDRMSG = 8;
const SIZE_OF_RTMSG = 12;

/** A link of RTM_NEWLINK. */
export function decodeLink(message: Message): Link {
  const { payload } = message;
  const attributes = parseAttributes(payload.subarray(SIZE_OF_IFINFOMSG));
  const info = attributes.get(IFLA.LINKINFO);
  const kind = info && attributeText(parseAttributes(info).get(IFLA.INFO_KIND));
  const master = attributes.get(IFLA.MASTER)?.readUInt32LE(0);
  const other = attributes.get(IFLA.LINK)?.readUInt32LE(0);
  const flags = payload.readUInt32LE(8);
  return {
    index: payload.readInt32LE(4),
    name: attributeText(attributes.get(IFLA.IFNAME)) ?? '',
    mac: formatMac(attributes.get(IFLA.ADDRESS) ?? Buffer.alloc(0)),
    mtu: attributes.get(IFLA.MTU)?.readUInt32LE(0) ?? 0,
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_RUNNING) !== 0,
    ...(kind !== undefined && { kind }),
    ...(master !== undefined && { master }),
    ...(other !== undefined && (kind === 'veth' ? { peerIndex: other } : { parentIndex: other })),
  };
}

/** The counters in RTM_NEWLINK (`rtnl_link_stats64`). */
export function decodeLinkStats(message: Message): LinkStats {
  const raw =
    parseAttributes(message.payload.subarray(SIZE_OF_IFINFOMSG)).get(IFLA.STATS64) ?? Buffer.alloc(64);
  const counter = (at: number) => Number(raw.readBigUInt64LE(at * 8));
  return {
    rxPackets: counter(0),
    txPackets: counter(1),
    rxBytes: counter(2),
    txBytes: counter(3),
    rxErrors: counter(4),
    txErrors: counter(5),
    rxDropped: counter(6),
    txDropped: counter(7),
  };
}

/** An address of RTM_NEWADDR. */
export function decodeAddress(message: Message): LinkAddress {
  const { payload } = message;
  const attributes = parseAttributes(payload.subarray(SIZE_OF_IFADDRMSG));
  // IFA_LOCAL is the own address on point-to-point links, where IFA_ADDRESS is the peer's.
  const bytes = attributes.get(2) ?? attributes.get(1) ?? Buffer.alloc(4);
  return {
    linkIndex: payload.readUInt32LE(4),
    cidr: `${formatAddress(bytes)}/${payload.readUInt8(1)}`,
    family: payload.readUInt8(0) === AF_INET ? 4 : 6,
    scope: payload.readUInt8(3),
  };
}

/** The table that holds the routes of `ip route`. */
export const MAIN_TABLE = 254;
const RTN_UNICAST = 1;
const RTA_TABLE = 15;

/** A unicast route of RTM_NEWROUTE, of one table (the main one when left out) or of all; undefined for any other. */
export function decodeRoute(message: Message, wanted: number | 'all' = MAIN_TABLE): Route | undefined {
  const { payload } = message;
  if (payload.readUInt8(7) !== RTN_UNICAST) return undefined;
  const attributes = parseAttributes(payload.subarray(SIZE_OF_RTMSG));
  // The byte in the head is too small for tables above 255.
  const table = attributes.get(RTA_TABLE)?.readUInt32LE(0) ?? payload.readUInt8(4);
  if (wanted !== 'all' && table !== wanted) return undefined;
  const [dst, gateway] = [attributes.get(1), attributes.get(5)];
  const linkIndex = attributes.get(4)?.readUInt32LE(0);
  return {
    family: payload.readUInt8(0) === AF_INET ? 4 : 6,
    ...(dst && { dst: `${formatAddress(dst)}/${payload.readUInt8(1)}` }),
    ...(gateway && { gateway: formatAddress(gateway) }),
    ...(linkIndex !== undefined && { linkIndex }),
    ...(table !== MAIN_TABLE && { table }),
  };
}
