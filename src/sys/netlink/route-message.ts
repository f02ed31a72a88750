import { WharfError } from '../../base/index.ts';
import { AF_INET, AF_INET6, addressBytes, broadcastOf, parseCidr } from './address.ts';
import { MAIN_TABLE } from './decode.ts';
import { MessageWriter } from './message.ts';

/** A route to be made or removed. `gateway` or `dev` must be given. */
export interface RouteSpec {
  /** `address/prefix`; the default route when left out or `default`. */
  dst?: string;
  gateway?: string;
  dev?: string | number;
  /** Of the default route over a device alone, which shows no family; 4 when left out. */
  family?: 4 | 6;
  /** The main table (254) when left out. */
  table?: number;
  /** `local` takes what matches as meant for this host. `unicast` when left out. */
  type?: 'unicast' | 'local';
}

/** A policy rule: packets whose mark, masked, is `mark` are routed by `table`. */
export interface RuleSpec {
  family: 4 | 6;
  mark: number;
  mask: number;
  table: number;
  /** Lower ones are asked first; `main` has 32766. */
  priority: number;
}

// The numbers of linux/rtnetlink.h and linux/fib_rules.h.
const RTN = { unicast: 1, local: 2 } as const;
const RTPROT_BOOT = 3;
const SCOPE = { universe: 0, link: 253, host: 254 } as const;
const RTA = { DST: 1, OIF: 4, GATEWAY: 5, TABLE: 15 } as const;
const FRA = { PRIORITY: 6, FWMARK: 10, TABLE: 15, FWMASK: 16 } as const;
const FR_ACT_TO_TABLE = 1;
const IFA = { ADDRESS: 1, LOCAL: 2, BROADCAST: 4 } as const;
const IFA_F_NODAD = 2;

/** An address of a link. An IPv6 address is usable at once: duplicate detection is left out, as addresses are ours to give. */
export function addressMessage(cidr: string, linkIndex: number): MessageWriter {
  const parsed = parseCidr(cidr);
  const fixed = Buffer.alloc(8);
  fixed.set([parsed.family, parsed.prefix, parsed.family === AF_INET6 ? IFA_F_NODAD : 0]);
  fixed.writeUInt32LE(linkIndex, 4);
  const message = new MessageWriter().fixed(fixed).bytes(IFA.LOCAL, parsed.bytes);
  message.bytes(IFA.ADDRESS, parsed.bytes);
  const broadcast = broadcastOf(parsed);
  return broadcast ? message.bytes(IFA.BROADCAST, broadcast) : message;
}

/** A route; `linkIndex` is that of `dev`. `invalid` without gateway and device, and when families differ. */
export function routeMessage(route: RouteSpec, linkIndex: number | undefined): MessageWriter {
  const dst = route.dst === undefined || route.dst === 'default' ? undefined : parseCidr(route.dst);
  const gateway = route.gateway === undefined ? undefined : addressBytes(route.gateway);
  if (!gateway && linkIndex === undefined)
    throw new WharfError('invalid', 'a route needs a gateway or a device');
  const length = (dst?.bytes ?? gateway)?.length ?? (route.family === 6 ? 16 : 4);
  if (gateway && gateway.length !== length)
    throw new WharfError('invalid', `${route.gateway} is no gateway for ${route.dst}: the families differ`);
  const [family, type] = [length === 16 ? AF_INET6 : AF_INET, route.type ?? 'unicast'];
  const table = route.table ?? MAIN_TABLE;
  const fixed = Buffer.alloc(12);
  fixed.set([family, dst?.prefix ?? 0, 0, 0, tableByte(table), RTPROT_BOOT, 0, RTN[type]]);
  // IPv6 has no scopes of routes.
  if (family === AF_INET) fixed.writeUInt8(type === 'local' ? SCOPE.host : gateway ? 0 : SCOPE.link, 6);
  const message = new MessageWriter().fixed(fixed);
  if (dst) message.bytes(RTA.DST, dst.bytes);
  if (gateway) message.bytes(RTA.GATEWAY, gateway);
  if (linkIndex !== undefined) message.u32(RTA.OIF, linkIndex);
  return table === MAIN_TABLE ? message : message.u32(RTA.TABLE, table);
}

/** Any default route of a family in the main table. */
export function anyDefaultRouteMessage(family: 4 | 6): MessageWriter {
  const fixed = Buffer.alloc(12);
  fixed.set([family === 6 ? AF_INET6 : AF_INET, 0, 0, 0, MAIN_TABLE, 0, 0, RTN.unicast]);
  // To remove one, IPv4 takes any scope for this value (RT_SCOPE_NOWHERE).
  fixed.writeUInt8(255, 6);
  return new MessageWriter().fixed(fixed);
}

/** A policy rule (`struct fib_rule_hdr`). */
export function ruleMessage(rule: RuleSpec): MessageWriter {
  const fixed = Buffer.alloc(12);
  fixed.set([rule.family === 6 ? AF_INET6 : AF_INET, 0, 0, 0, tableByte(rule.table), 0, 0, FR_ACT_TO_TABLE]);
  return new MessageWriter()
    .fixed(fixed)
    .u32(FRA.PRIORITY, rule.priority)
    .u32(FRA.FWMARK, rule.mark)
    .u32(FRA.FWMASK, rule.mask)
    .u32(FRA.TABLE, rule.table);
}

/** Tables above 255 have the attribute alone (RT_TABLE_UNSPEC here). */
function tableByte(table: number): number {
  return table < 256 ? table : 0;
}
