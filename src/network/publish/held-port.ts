import type { PublishedPort } from '../types.ts';

/** A port of the host. */
export type Place = Pick<PublishedPort, 'protocol' | 'hostIp' | 'hostPort'>;

/** Where a held port carries what comes to it. */
export interface Destination {
  ip: string;
  port: number;
  /** Whether the container shall see the client's address; otherwise it sees that of its gateway. */
  keepSource: boolean;
}

/** A host port that is kept from others while it is published. */
export interface HeldPort {
  /** New connections go there from now on; those that are carried end. */
  retarget(destination: Destination): void;
  /** Gives the port back; connections that are carried end. */
  close(): void;
}

/** Takes a host port at once. Errors: the system's (`EADDRINUSE`, `EADDRNOTAVAIL` … as code or code of the cause). */
export type Hold = (place: Place, destination: Destination) => HeldPort;

/** What connections may cost: two descriptors each, and some memory. */
export interface CarryLimits {
  /** Connections, or UDP sessions, of one port. */
  perPort: number;
  /** Of all ports together. */
  total: number;
  /** UDP sessions without a datagram end after so long. */
  idleMs: number;
  /** A container that takes no connection for so long is given up. */
  connectMs: number;
}

/** The connections that all held ports carry, counted. */
export class Budget {
  private left: number;

  constructor(total: number) {
    this.left = total;
  }

  take(): boolean {
    if (this.left === 0) return false;
    this.left -= 1;
    return true;
  }

  give(): void {
    this.left += 1;
  }

  get empty(): boolean {
    return this.left === 0;
  }
}

/** 4 or 6. */
export function familyOf(ip: string): 4 | 6 {
  return ip.includes(':') ? 6 : 4;
}
