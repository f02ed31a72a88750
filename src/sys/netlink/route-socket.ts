import { isErrno } from '../errno.ts';
import { withNetns } from '../netns-switch.ts';
import { decodeAddress, decodeRoute } from './decode.ts';
import { indexOf, LinkSocket } from './link-socket.ts';
import { MessageWriter, NLM } from './message.ts';
import {
  addressMessage,
  anyDefaultRouteMessage,
  type RouteSpec,
  type RuleSpec,
  routeMessage,
  ruleMessage,
} from './route-message.ts';
import { NetlinkSocket } from './socket.ts';
import type { LinkAddress, Route } from './types.ts';

const NETLINK_ROUTE = 0;
const RTM = {
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
  NEWRULE: 32,
  DELRULE: 33,
} as const;

/**
 * rtnetlink in the namespace where the socket was opened, wherever the thread goes later. Every call is one or two
 * synchronous exchanges of tens of microseconds. Errors carry the kernel's text and the errno (ENODEV is a link that is
 * not there, EEXIST a name or an address in use).
 */
export class RouteSocket extends LinkSocket implements Disposable {
  /** Opens a socket in the present namespace, or in the one pinned at `netnsPath`. */
  static open(netnsPath?: string): RouteSocket {
    const make = () => new RouteSocket(new NetlinkSocket(NETLINK_ROUTE));
    return netnsPath === undefined ? make() : withNetns(netnsPath, make);
  }

  /** Adds `address/prefix`. An IPv6 address is usable at once. */
  addAddress(link: string | number, cidr: string): void {
    const message = addressMessage(cidr, indexOf(this.socket, link));
    this.socket.execute(RTM.NEWADDR, NLM.CREATE | NLM.EXCL, message, `add address ${cidr} to ${link}`);
  }

  /** Takes `address/prefix` from a link; false when it was not there. */
  deleteAddress(link: string | number, cidr: string): boolean {
    const message = addressMessage(cidr, indexOf(this.socket, link));
    return remove(this.socket, RTM.DELADDR, message, `delete address ${cidr} of ${link}`, 'EADDRNOTAVAIL');
  }

  /** Addresses of one interface or of all. */
  addresses(link?: string | number): LinkAddress[] {
    const index = link === undefined ? undefined : indexOf(this.socket, link);
    const message = new MessageWriter().fixed(Buffer.alloc(8));
    const all = this.socket.query(RTM.GETADDR, NLM.DUMP, message, 'list addresses').map(decodeAddress);
    return index === undefined ? all : all.filter((address) => address.linkIndex === index);
  }

  /** Adds a route; without `dst` the default one. */
  addRoute(route: RouteSpec): void {
    const message = routeMessage(route, this.deviceOf(route));
    this.socket.execute(RTM.NEWROUTE, NLM.CREATE | NLM.EXCL, message, `add ${nameOf(route)}`);
  }

  /** Removes a route; false when it was not there. */
  deleteRoute(route: RouteSpec): boolean {
    const message = routeMessage(route, this.deviceOf(route));
    return remove(this.socket, RTM.DELROUTE, message, `delete ${nameOf(route)}`, 'ESRCH');
  }

  /** The unicast routes, both families, of one table (the main one when left out) or of all. */
  routes(table?: number | 'all'): Route[] {
    const message = new MessageWriter().fixed(Buffer.alloc(12));
    const all = this.socket.query(RTM.GETROUTE, NLM.DUMP, message, 'list routes');
    return all.map((route) => decodeRoute(route, table)).filter((route) => route !== undefined);
  }

  /** Makes this the default route of its family, in place of the one that is there, without a moment between. */
  replaceDefaultRoute(route: { family: 4 | 6; gateway?: string; dev?: string | number }): void {
    const message = routeMessage(route, this.deviceOf(route));
    this.socket.execute(RTM.NEWROUTE, NLM.CREATE | NLM.REPLACE, message, `replace ${nameOf(route)}`);
  }

  /** Removes all default routes of a family from the main table; false when there was none. */
  deleteDefaultRoute(family: 4 | 6): boolean {
    const drop = () =>
      remove(
        this.socket,
        RTM.DELROUTE,
        anyDefaultRouteMessage(family),
        `delete the default route of IPv${family}`,
        'ESRCH',
        'ENOENT',
      );
    const found = drop();
    for (let more = found; more; ) more = drop();
    return found;
  }

  /** Adds a policy rule. EEXIST when the same one is there. */
  addRule(rule: RuleSpec): void {
    const what = `add rule of mark ${rule.mark} for table ${rule.table}`;
    this.socket.execute(RTM.NEWRULE, NLM.CREATE | NLM.EXCL, ruleMessage(rule), what);
  }

  /** Removes a policy rule; false when it was not there. */
  deleteRule(rule: RuleSpec): boolean {
    const what = `delete rule of mark ${rule.mark} for table ${rule.table}`;
    return remove(this.socket, RTM.DELRULE, ruleMessage(rule), what, 'ENOENT');
  }

  close(): void {
    this.socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private deviceOf(route: RouteSpec): number | undefined {
    return route.dev === undefined ? undefined : indexOf(this.socket, route.dev);
  }
}

function nameOf(route: RouteSpec): string {
  return `route ${route.dst ?? 'default'} via ${route.gateway ?? route.dev}`;
}

/** Executes a removal; false when the kernel answers that there was no such thing. */
function remove(
  socket: NetlinkSocket,
  type: number,
  message: MessageWriter,
  what: string,
  ...absent: string[]
): boolean {
  try {
    socket.execute(type, 0, message, what);
    return true;
  } catch (thrown) {
    if (isErrno(thrown, ...absent)) return false;
    throw thrown;
  }
}
