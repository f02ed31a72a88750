import { networkInterfaces } from 'node:os';
import type { Logger } from '../../base/index.ts';
import { type Connection, deleteConnections } from '../../sys/index.ts';
import type { PublishedPort } from '../types.ts';
import { familyOf } from './held-port.ts';

/** How long changes are gathered: one look at the kernel's table, which may be long, serves many. */
const GATHER_MS = 50;
const PROTOCOLS = { tcp: 6, udp: 17, sctp: 132 } as const;

type Delete = typeof deleteConnections;

/** Makes the kernel forget all connections of addresses that nobody has any more. Gives their number. */
export function forgetConnections(addresses: Iterable<string>, remove: Delete = deleteConnections): number {
  const gone = new Set(addresses);
  const match = ({ source, destination, replySource }: Connection) =>
    gone.has(source) || gone.has(destination) || gone.has(replySource);
  return familiesOf(gone).reduce((sum, family) => sum + remove(family, match), 0);
}

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
  private timer: NodeJS.Timeout | undefined;

  constructor(log: Logger, remove: Delete = deleteConnections) {
    this.log = log;
    this.remove = remove;
  }

  /** A port is led to a container from now on; TCP and SCTP begin connections anew by themselves. */
  publish(port: PublishedPort): void {
    if (port.protocol !== 'udp') return;
    this.published.push(port);
    this.later(port.hostIp);
  }

  /** A port is not led to that address any more. */
  release({ protocol, hostPort, containerPort }: PublishedPort, containerIp: string): void {
    this.released.add(`${PROTOCOLS[protocol]} ${hostPort} ${containerIp} ${containerPort}`);
    this.later(containerIp);
  }

  private later(ip: string): void {
    this.families.add(familyOf(ip));
    this.timer ??= setTimeout(() => this.run(), GATHER_MS).unref();
  }

  private run(): void {
    this.timer = undefined;
    const [released, families] = [new Set(this.released), [...this.families]];
    const published = untranslatedTo(this.published.splice(0));
    this.released.clear();
    this.families.clear();
    const match = (entry: Connection) =>
      published(entry) ||
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

function familiesOf(addresses: Iterable<string>): (4 | 6)[] {
  return [...new Set([...addresses].map(familyOf))];
}
