import { FdWatch } from '../poll.ts';
import { NetlinkSocket } from './socket.ts';

const NETLINK_ROUTE = 0;
const NETLINK_NETFILTER = 12;
/** Changes that come in a burst are told once. */
const COALESCE_MS = 20;

/** RTNLGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR and IPV6_ROUTE (linux/rtnetlink.h). */
const ROUTE_GROUPS = [1, 5, 7, 9, 11];

/**
 * Calls `onChange` after links, addresses or routes of the present namespace have changed, whoever did it; a burst of
 * changes is one call, some 20 ms after it began. Does not keep the process running.
 */
export function watchRoutes(onChange: () => void): Disposable {
  return subscribe(NETLINK_ROUTE, ROUTE_GROUPS, (socket) => {
    socket.drain(() => {});
    onChange();
  });
}

/** One transaction of nftables. */
export interface NftChange {
  /** The thread that made it, as the first pid namespace counts; 0 with no tables: changes were lost, anything may be different. */
  pid: number;
  /** Names of the tables it touched. */
  tables: Set<string>;
  /** Something was removed. */
  deleted: boolean;
}

const NFNLGRP_NFTABLES = 7;
const SUBSYS_NFTABLES = 10;
/** NFT_MSG_NEWGEN: the last message of a transaction. */
const NEW_GENERATION = 15;
/** DELTABLE, DELCHAIN, DELRULE, DELSET, DELSETELEM, DELOBJ, DELFLOWTABLE (linux/netfilter/nf_tables.h). */
const DELETIONS = new Set([2, 5, 8, 11, 14, 20, 24]);
const SIZE_OF_NFGENMSG = 4;
const NFTA_TABLE = 1;
const NFTA_GEN_PROC_PID = 2;

/**
 * Calls `onChange` after every transaction of nftables in the present namespace, own ones included; several of one process
 * within some 20 ms are told as one. Does not keep the process running.
 */
export function watchNftables(onChange: (change: NftChange) => void): Disposable {
  const changes = new NftChanges();
  return subscribe(NETLINK_NETFILTER, [NFNLGRP_NFTABLES], (socket) => {
    if (!socket.drain((type, data, start, end) => changes.add(type, data, start, end))) changes.lost();
    for (const change of changes.take()) onChange(change);
  });
}

/** Puts the messages of transactions together; each ends with its generation, which names the process. */
export class NftChanges {
  private readonly byProcess = new Map<number, NftChange>();
  private tables = new Set<string>();
  private deleted = false;
  private lastName = Buffer.alloc(0);

  /** Takes one message; its payload is `data` from `start` to `end`. */
  add(type: number, data: Buffer, start: number, end: number): void {
    if (type >> 8 !== SUBSYS_NFTABLES) return;
    const message = type & 0xff;
    if (message === NEW_GENERATION) {
      this.finish(attribute(data, start, end, NFTA_GEN_PROC_PID)?.readUInt32BE(0) ?? 0);
      return;
    }
    if (DELETIONS.has(message)) this.deleted = true;
    const name = attribute(data, start, end, NFTA_TABLE);
    // Thousands of elements of one table in a row are usual: their name is made a string once.
    if (!name || name.equals(this.lastName)) return;
    this.lastName = Buffer.from(name);
    this.tables.add(name.toString('utf8', 0, name.length - 1));
  }

  /** The transactions that are complete, one for each process; they are told once. */
  take(): NftChange[] {
    const complete = [...this.byProcess.values()];
    this.byProcess.clear();
    return complete;
  }

  /** Messages were lost: what they said is unknown. */
  lost(): void {
    this.byProcess.set(0, { pid: 0, tables: new Set(), deleted: true });
  }

  private finish(pid: number): void {
    const known = this.byProcess.get(pid);
    const tables = new Set([...(known?.tables ?? []), ...this.tables]);
    this.byProcess.set(pid, { pid, tables, deleted: this.deleted || known?.deleted === true });
    this.tables = new Set();
    this.deleted = false;
    this.lastName = Buffer.alloc(0);
  }
}

/** The value of an attribute after `struct nfgenmsg`, without a copy; the table is the first one in every message. */
function attribute(data: Buffer, start: number, end: number, wanted: number): Buffer | undefined {
  for (let at = start + SIZE_OF_NFGENMSG; at + 4 <= end; ) {
    const length = data.readUInt16LE(at);
    if (length < 4 || at + length > end) return undefined;
    if ((data.readUInt16LE(at + 2) & 0x3fff) === wanted) return data.subarray(at + 4, at + length);
    at += (length + 3) & ~3;
  }
  return undefined;
}

/** Joins multicast groups; `read` is called some time after the first message of a burst, once for all of them. */
function subscribe(
  protocol: number,
  groups: readonly number[],
  read: (socket: NetlinkSocket) => void,
): Disposable {
  const socket = new NetlinkSocket(protocol);
  let timer: NodeJS.Timeout | undefined;
  try {
    socket.join(groups);
    const watch = new FdWatch(socket.fd, { readable: true }, () => {
      // What comes until then waits in the kernel and wakes nobody.
      watch.update({});
      timer = setTimeout(() => {
        watch.update({ readable: true });
        read(socket);
      }, COALESCE_MS);
      timer.unref();
    });
    return {
      [Symbol.dispose]: () => {
        clearTimeout(timer);
        watch.stop();
        socket.close();
      },
    };
  } catch (thrown) {
    socket.close();
    throw thrown;
  }
}
