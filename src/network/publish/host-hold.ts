import type { Logger } from '../../base/index.ts';
import { type Fd, isErrno, openSocket } from '../../sys/index.ts';
import { CarriedDatagrams } from './carried-datagrams.ts';
import { CarriedStreams } from './carried-streams.ts';
import {
  Budget,
  type CarryLimits,
  type Destination,
  familyOf,
  type HeldPort,
  type Hold,
  type Place,
} from './held-port.ts';
import type { SourceKeeper } from './source-keeper.ts';

/** What carrying needs of its surroundings. */
export interface CarryDeps {
  log: Logger;
  limits: CarryLimits;
  budget: Budget;
  sources: SourceKeeper;
  /** Whether a client, `fe80::2%3` on the link of index 3, must not reach published ports by the host. */
  refuses(ip: string): boolean;
}

const DEFAULT_LIMITS: CarryLimits = { perPort: 1024, total: 4096, idleMs: 90_000, connectMs: 10_000 };
/** Connections that wait until the daemon looks. */
const BACKLOG = 128;
/** Watches started in one turn of the event loop. */
const STARTED_AT_ONCE = 200;

/**
 * Holds ports by sockets of the host. A port costs two system calls or three; watching for connections that the kernel did not
 * translate begins behind the answer, since what comes meanwhile waits in the socket.
 */
export function hostHold(
  deps: Omit<CarryDeps, 'limits' | 'budget'> & { limits?: Partial<CarryLimits> },
): Hold {
  const limits = { ...DEFAULT_LIMITS, ...deps.limits };
  const carry: CarryDeps = { ...deps, limits, budget: new Budget(limits.total) };
  const starting: SocketPort[] = [];
  const startSome = () => {
    for (const port of starting.splice(0, STARTED_AT_ONCE)) port.start();
    if (starting.length > 0) setImmediate(startSome);
  };
  return (place, destination) => {
    const socket = bindPlace(place);
    if (!socket) return { retarget() {}, close() {} };
    const port = new SocketPort(socket, place, destination, carry);
    if (place.protocol !== 'sctp') {
      if (starting.length === 0) setImmediate(startSome);
      starting.push(port);
    }
    return port;
  };
}

/** Undefined for SCTP on a kernel without its sockets: nobody can take the port there, either. */
function bindPlace({ protocol, hostIp, hostPort }: Place): Fd | undefined {
  const family = familyOf(hostIp);
  const type = ({ tcp: 'stream', udp: 'dgram', sctp: 'sctp' } as const)[protocol];
  const stream = protocol !== 'udp';
  try {
    return openSocket({
      family,
      type,
      // A server that ended lately leaves connections in TIME_WAIT, which must not keep the port.
      ...(stream ? { reuseAddress: true, listen: BACKLOG } : {}),
      ...(family === 6 ? { v6only: true } : {}),
      bind: { ip: hostIp, port: hostPort },
    });
  } catch (thrown) {
    if (protocol === 'sctp' && isErrno(thrown, 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT')) return undefined;
    throw thrown;
  }
}

/** One bound socket, and what carries its connections. */
class SocketPort implements HeldPort {
  private readonly socket: Fd;
  private readonly place: Place;
  private readonly carry: CarryDeps;
  private destination: Destination;
  private carried: CarriedStreams | CarriedDatagrams | undefined;
  private closed = false;

  constructor(socket: Fd, place: Place, destination: Destination, carry: CarryDeps) {
    this.socket = socket;
    this.place = place;
    this.destination = destination;
    this.carry = carry;
    if (destination.keepSource) carry.sources.acquire(destination.ip);
  }

  start(): void {
    if (this.closed) return;
    const Kind = this.place.protocol === 'udp' ? CarriedDatagrams : CarriedStreams;
    this.carried = new Kind(this.socket, this.destination, this.carry);
  }

  retarget(destination: Destination): void {
    if (destination.keepSource) this.carry.sources.acquire(destination.ip);
    if (this.destination.keepSource) this.carry.sources.release(this.destination.ip);
    this.destination = destination;
    this.carried?.retarget(destination);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.carried?.close();
    this.socket.close();
    if (this.destination.keepSource) this.carry.sources.release(this.destination.ip);
  }
}
