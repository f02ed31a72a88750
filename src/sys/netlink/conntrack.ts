import { isErrno } from '../errno.ts';
import { AF_INET, AF_INET6, formatAddress } from './address.ts';
import { MessageWriter, NLM, parseAttributes } from './message.ts';
import { NetlinkSocket } from './socket.ts';

/** A connection that the kernel tracks. Ports are 0 for protocols without them. */
export interface Connection {
  /** 6 TCP, 17 UDP, 132 SCTP … */
  protocol: number;
  source: string;
  destination: string;
  sourcePort: number;
  destinationPort: number;
  /** Where answers come from: differs from the destination where that was translated. */
  replySource: string;
  replySourcePort: number;
}

const NETLINK_NETFILTER = 12;
/** Subsystem NFNL_SUBSYS_CTNETLINK with IPCTNL_MSG_CT_GET and IPCTNL_MSG_CT_DELETE. */
const CT = { GET: 0x101, DELETE: 0x102 } as const;
// The numbers of linux/netfilter/nfnetlink_conntrack.h.
const CTA = { TUPLE_ORIG: 1, TUPLE_REPLY: 2, ID: 12, ZONE: 18 } as const;
const TUPLE = { IP: 1, PROTO: 2 } as const;
const IP = { V4_SRC: 1, V4_DST: 2, V6_SRC: 3, V6_DST: 4 } as const;
const PROTO = { NUM: 1, SRC_PORT: 2, DST_PORT: 3 } as const;
const SIZE_OF_NFGENMSG = 4;

/**
 * Makes the kernel forget the connections of the present namespace that match, and gives their number. A packet that
 * belongs to one begins a new connection by the rules as they are then.
 */
export function deleteConnections(family: 4 | 6, match: (entry: Connection) => boolean): number {
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  let deleted = 0;
  for (const message of socket.query(CT.GET, NLM.DUMP, head(family), 'list connections')) {
    const attributes = parseAttributes(message.payload.subarray(SIZE_OF_NFGENMSG));
    const entry = decodeConnection(attributes);
    if (entry && match(entry) && deleteOne(socket, family, attributes)) deleted += 1;
  }
  return deleted;
}

/** By its tuple and its number: another connection that has the tuple by now is spared. False when it was gone. */
function deleteOne(socket: NetlinkSocket, family: 4 | 6, attributes: Map<number, Buffer>): boolean {
  const message = head(family);
  for (const type of [CTA.TUPLE_ORIG, CTA.ZONE, CTA.ID]) {
    const value = attributes.get(type);
    if (value && type === CTA.TUPLE_ORIG) message.nest(type, (tuple) => tuple.fixed(value), true);
    else if (value) message.bytes(type, value);
  }
  try {
    socket.execute(CT.DELETE, 0, message, 'delete connection');
    return true;
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return false;
    throw thrown;
  }
}

/** `struct nfgenmsg`. */
function head(family: 4 | 6): MessageWriter {
  return new MessageWriter().fixed(Buffer.from([family === 6 ? AF_INET6 : AF_INET, 0, 0, 0]));
}

/** A connection of the attributes of a message; undefined when they lack a direction. */
export function decodeConnection(attributes: Map<number, Buffer>): Connection | undefined {
  const original = decodeTuple(attributes.get(CTA.TUPLE_ORIG));
  const reply = decodeTuple(attributes.get(CTA.TUPLE_REPLY));
  if (!original || !reply) return undefined;
  return { ...original, replySource: reply.source, replySourcePort: reply.sourcePort };
}

type Tuple = Omit<Connection, 'replySource' | 'replySourcePort'>;

function decodeTuple(raw: Buffer | undefined): Tuple | undefined {
  const tuple = raw && parseAttributes(raw);
  const [ip, proto] = [tuple?.get(TUPLE.IP), tuple?.get(TUPLE.PROTO)];
  if (!ip || !proto) return undefined;
  const [addresses, numbers] = [parseAttributes(ip), parseAttributes(proto)];
  const source = addresses.get(IP.V4_SRC) ?? addresses.get(IP.V6_SRC);
  const destination = addresses.get(IP.V4_DST) ?? addresses.get(IP.V6_DST);
  if (!source || !destination) return undefined;
  return {
    protocol: numbers.get(PROTO.NUM)?.readUInt8(0) ?? 0,
    source: formatAddress(source),
    destination: formatAddress(destination),
    sourcePort: numbers.get(PROTO.SRC_PORT)?.readUInt16BE(0) ?? 0,
    destinationPort: numbers.get(PROTO.DST_PORT)?.readUInt16BE(0) ?? 0,
  };
}
