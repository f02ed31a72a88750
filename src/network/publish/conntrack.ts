import { networkInterfaces } from 'node:os';
import type { Logger } from '../../base/index.ts';
import { type Connection, deleteConnections } from '../../sys/index.ts';
import type { PublishedPort } from '../types.ts';
import { familyOf } from './held-port.ts';

/** How long changes are gathered: one look at the kernel's table, which may be long, serves many. */
const GATHER_MS = 50;
/** The same for addresses that nobody has any more: these rest for longer before another container gets one. */
const GATHER_GONE_MS = 2000;
const PROTOCOLS = { tcp: 6, udp: 17, sctp: 132 } as const;

type Delete = typeof deleteConnections;

/**
 * Makes the kernel forget, a little later, what stands in the way of ports that changed hands: a UDP client that goes on
 * sending would be led for ever where it was led before.
 */
export class ConnectionSweep {
  private readonly log: Logger;
  private readonly remove: Delete;
  private readonly published: PublishedPort[] = [];
  private readonly released = new Set<string>();
  private readonly families = new Set<4 | 6>();
  private readonly gone = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private goneTimer: NodeJS.Timeout | undefined;

  constructor(log: Logger, remove: Delete = deleteConnections) {
    this.log = log;
    this.remove = remove;
  }

  /** A port is led to that address from now on; TCP and SCTP begin connections anew by themselves. */
  publish(port: PublishedPort, containerIp: string): void {
    // It may have come back from another address within the time; what is connected already is right.
    this.released.delete(releaseKey(port, containerIp));
    if (port.protocol !== 'udp') return;
    this.published.push(port);
    this.later(port.hostIp);
  }

  /** A port is not led to that address any more. */
  release(port: PublishedPort, containerIp: string): void {
    this.released.add(releaseKey(port, containerIp));
    this.later(containerIp);
  }

  /** Nobody has these addresses any more: whoever gets them next shall hear nothing of what they were part of. */
  forget(addresses: readonly string[]): void {
    for (const address of addresses) if (address) this.gone.add(address);
    if (this.gone.size > 0) this.goneTimer ??= setTimeout(() => this.run(), GATHER_GONE_MS).unref();
  }

  private later(ip: string): void {
    this.families.add(familyOf(ip));
    this.timer ??= setTimeout(() => this.run(), GATHER_MS).unref();
  }

  private run(): void {
    clearTimeout(this.timer);
    clearTimeout(this.goneTimer);
    this.timer = undefined;
    this.goneTimer = undefined;
    const [released, gone] = [new Set(this.released), new Set(this.gone)];
    const families = new Set([...this.families, ...[...gone].map(familyOf)]);
    const published = untranslatedTo(this.published.splice(0));
    this.released.clear();
    this.gone.clear();
    this.families.clear();
    const match = (entry: Connection) =>
      published(entry) ||
      gone.has(entry.source) ||
      gone.has(entry.destination) ||
      gone.has(entry.replySource) ||
      released.has(
        `${entry.protocol} ${entry.destinationPort} ${entry.replySource} ${entry.replySourcePort}`,
      );
    try {
      for (const family of families) this.remove(family, match);
    } catch (thrown) {
      this.log.debug('connections of published ports could not be forgotten', { error: thrown });
    }
  }
}

/** Matches UDP that goes to one of the ports and is not translated. Addresses of others, on the same port, are not meant. */
function untranslatedTo(ports: readonly PublishedPort[]): (entry: Connection) => boolean {
  if (ports.length === 0) return () => false;
  const places = new Set(ports.map(({ hostIp, hostPort }) => `${hostIp} ${hostPort}`));
  const own = new Set(
    Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address)),
  );
  return ({ protocol, destination, destinationPort, replySource }) => {
    if (protocol !== PROTOCOLS.udp || destination !== replySource) return false;
    const any = `${familyOf(destination) === 6 ? '::' : '0.0.0.0'} ${destinationPort}`;
    return places.has(`${destination} ${destinationPort}`) || (own.has(destination) && places.has(any));
  };
}

/** How a connection by a published port looks in the kernel's table. */
function releaseKey({ protocol, hostPort, containerPort }: PublishedPort, containerIp: string): string {
  return `${PROTOCOLS[protocol]} ${hostPort} ${containerIp} ${containerPort}`;
}
