import { errnoCode, type Logger, WharfError } from '../../base/index.ts';
import type { deleteConnections } from '../../sys/index.ts';
import type { PortRequest, PublishedPort } from '../types.ts';
import {
  candidates,
  destinationIp,
  ephemeralRange,
  groupRequests,
  overlap,
  type RequestGroup,
  speaksIpv6,
} from './candidates.ts';
import { ConnectionSweep } from './conntrack.ts';
import { type Destination, familyOf, type HeldPort, type Hold, type Place } from './held-port.ts';
import { holderOf } from './holder.ts';
import { hostHold } from './host-hold.ts';
import { SourceKeeper } from './source-keeper.ts';
import type { PortOwner, Ports } from './types.ts';

/** How ports are held; all but the log has a default. */
export interface PortsOptions {
  log: Logger;
  /** Name of the nft table that stands while obeyed ports are published; one for each daemon of a host. */
  obeyTable?: string;
  hold?: Hold;
  /** Whether a client must not reach published ports by the host; none is refused when left out. */
  refuses?: (ip: string) => boolean;
  /** Whether the host has IPv6; found out when left out. */
  ipv6?: boolean;
  /** Ports for requests that name none; the kernel's range for clients when left out. */
  range?: [number, number];
  forget?: typeof deleteConnections;
}

/** The ports of one daemon. Drops what an earlier process with the same `obeyTable` left in the kernel. */
export function openPorts(options: PortsOptions): Ports {
  const { log } = options;
  if (options.hold) return new PortTable({ ...options, hold: options.hold });
  const sources = new SourceKeeper({ log, table: options.obeyTable ?? 'wharf-obey' });
  sources.dropStale();
  return new PortTable({
    ...options,
    hold: hostHold({ log, sources, refuses: options.refuses ?? (() => false) }),
  });
}

interface Allocation {
  port: PublishedPort;
  owner: PortOwner;
  held: HeldPort | undefined;
}

/** What the system says in strerror(3)'s words, as the Engine's texts have it. */
const ERRNO_TEXT: Record<string, string> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
};

class PortTable implements Ports {
  private readonly byPort = new Map<string, Allocation[]>();
  private readonly hold: Hold;
  private readonly ipv6: boolean;
  private readonly range: [number, number];
  private readonly sweep: ConnectionSweep;
  private cursor: number;

  constructor(options: PortsOptions & { hold: Hold }) {
    this.hold = options.hold;
    this.ipv6 = options.ipv6 ?? speaksIpv6();
    this.range = options.range ?? ephemeralRange();
    this.sweep = new ConnectionSweep(options.log, options.forget);
    this.cursor = this.range[0];
  }

  async reserve(requests: readonly PortRequest[], owner: PortOwner): Promise<PublishedPort[]> {
    const made: { at: number; port: PublishedPort }[] = [];
    try {
      for (const group of groupRequests(requests, owner, this.ipv6)) {
        for (const [index, port] of this.firstFree(group, owner).entries())
          made.push({ at: group.at[index] ?? 0, port });
      }
    } catch (thrown) {
      this.release(made.map(({ port }) => port));
      throw thrown;
    }
    const ports = made.sort((a, b) => a.at - b.at).map(({ port }) => port);
    for (const port of ports) this.sweep.publish(port, destinationIp(port.hostIp, owner));
    return ports;
  }

  async restore(ports: readonly PublishedPort[], owner: PortOwner): Promise<string[]> {
    const problems: string[] = [];
    for (const port of ports) {
      if (this.clash(port)?.owner.containerId === owner.containerId || !destinationIp(port.hostIp, owner))
        continue;
      const allocation: Allocation = { port, owner, held: undefined };
      this.insert(allocation);
      try {
        allocation.held = this.hold(port, destinationOf(port, owner));
      } catch (thrown) {
        const code = systemCode(thrown);
        const holder = code === 'EADDRINUSE' ? holderOf(port) : '';
        problems.push(`${placeText(port)}/${port.protocol} could not be held: ${code || thrown}${holder}`);
      }
    }
    return problems;
  }

  retarget(ports: readonly PublishedPort[], owner: PortOwner): void {
    for (const port of ports) {
      const allocation = this.find(port);
      if (!allocation) continue;
      this.sweep.release(port, destinationIp(port.hostIp, allocation.owner));
      this.sweep.publish(port, destinationIp(port.hostIp, owner));
      allocation.owner = owner;
      allocation.held?.retarget(destinationOf(port, owner));
    }
  }

  release(ports: readonly PublishedPort[]): void {
    for (const port of ports) {
      const found = this.find(port);
      if (!found) continue;
      const key = keyOf(port);
      const left = (this.byPort.get(key) ?? []).filter((allocation) => allocation !== found);
      if (left.length > 0) this.byPort.set(key, left);
      else this.byPort.delete(key);
      found.held?.close();
      this.sweep.release(found.port, destinationIp(port.hostIp, found.owner));
    }
  }

  forget(addresses: readonly string[]): void {
    this.sweep.forget(addresses);
  }

  releaseAll(): void {
    for (const allocations of this.byPort.values()) for (const { held } of allocations) held?.close();
    this.byPort.clear();
  }

  /** Takes the first port number that is free on all addresses of the group. */
  private firstFree({ request, hostIps }: RequestGroup, owner: PortOwner): PublishedPort[] {
    const { protocol, containerPort } = request;
    let refusal: WharfError | undefined;
    for (const hostPort of candidates(request, this.range, this.cursor)) {
      const ports = hostIps.map((hostIp) => ({ protocol, containerPort, hostIp, hostPort }));
      refusal = this.claim(ports, request, owner);
      if (refusal && isTaken(refusal)) continue;
      if (refusal) throw refusal;
      if (request.hostPort === 0) this.cursor = hostPort === this.range[1] ? this.range[0] : hostPort + 1;
      return ports;
    }
    const fixed = request.hostPort !== 0 && (request.hostPortEnd ?? request.hostPort) === request.hostPort;
    const ofSystem = refusal && refusal.cause !== undefined && request.hostPort !== 0;
    if (refusal && (fixed || ofSystem)) throw refusal;
    throw new WharfError('exhausted', `${prefix(owner)}all ports are allocated`);
  }

  /** Takes one number on all addresses, or says why not. */
  private claim(ports: PublishedPort[], request: PortRequest, owner: PortOwner): WharfError | undefined {
    // The Engine names the IPv6 wildcard where both are taken.
    const taken = ports
      .toReversed()
      .map((port) => this.clash(port))
      .find((found) => found !== undefined);
    if (taken) {
      const { hostIp, hostPort } = taken.port;
      const text = `Bind for ${hostIp}:${hostPort} failed: port is already allocated (by container ${taken.owner.name})`;
      return new WharfError('conflict', prefix(owner) + text);
    }
    const made: Allocation[] = [];
    for (const port of ports) {
      try {
        made.push({ port, owner, held: this.hold(port, destinationOf(port, owner)) });
      } catch (thrown) {
        for (const { held } of made) held?.close();
        return refusalOf(thrown, port, request, owner);
      }
    }
    for (const allocation of made) this.insert(allocation);
    return undefined;
  }

  private clash(port: PublishedPort): Allocation | undefined {
    return this.byPort.get(keyOf(port))?.find((other) => overlap(other.port.hostIp, port.hostIp));
  }

  private find(port: PublishedPort): Allocation | undefined {
    return this.byPort.get(keyOf(port))?.find((other) => other.port.hostIp === port.hostIp);
  }

  private insert(allocation: Allocation): void {
    const key = keyOf(allocation.port);
    const others = this.byPort.get(key);
    if (others) others.push(allocation);
    else this.byPort.set(key, [allocation]);
  }
}

function destinationOf({ hostIp, containerPort }: PublishedPort, owner: PortOwner): Destination {
  const ip = destinationIp(hostIp, owner);
  return {
    ip,
    port: containerPort,
    keepSource: owner.policy === 'obey' && familyOf(ip) === familyOf(hostIp),
  };
}

/** Why the system did not give a port, in the Engine's words. */
function refusalOf(thrown: unknown, port: PublishedPort, request: PortRequest, owner: PortOwner): WharfError {
  const code = systemCode(thrown);
  const { hostPort, hostPortEnd = hostPort } = request;
  const range = hostPort !== hostPortEnd;
  const which = range ? `host port ${port.hostPort}` : 'host port';
  const numbers = range ? `${hostPort}-${hostPortEnd}` : `${port.hostPort}`;
  const host = `${bracketed(port.hostIp)}:${numbers}`;
  const container = bracketed(destinationIp(port.hostIp, owner));
  const target = `${container}:${port.containerPort}/${port.protocol}`;
  const holder = code === 'EADDRINUSE' && request.hostPort !== 0 ? holderOf(port) : '';
  const reason = (ERRNO_TEXT[code] ?? (thrown instanceof Error ? thrown.message : String(thrown))) + holder;
  const text = `failed to bind ${which} for ${host}:${target}: ${reason}`;
  return new WharfError('conflict', prefix(owner) + text, { cause: thrown });
}

/** Whether somebody has the port, a container or a process, so that the next of a range may be free. */
function isTaken(refusal: WharfError): boolean {
  return refusal.cause === undefined || systemCode(refusal.cause) === 'EADDRINUSE';
}

function systemCode(thrown: unknown): string {
  return errnoCode(thrown) ?? (thrown instanceof Error ? errnoCode(thrown.cause) : undefined) ?? '';
}

function bracketed(ip: string): string {
  return familyOf(ip) === 6 ? `[${ip}]` : ip;
}

function placeText({ hostIp, hostPort }: Place): string {
  return `${bracketed(hostIp)}:${hostPort}`;
}

function keyOf({ protocol, hostPort }: Place): string {
  return `${protocol}/${hostPort}`;
}

/** How the Engine begins the text when a port cannot be had. */
function prefix(owner: PortOwner): string {
  const where = `on endpoint ${owner.name} (${owner.endpointId})`;
  return `failed to set up container networking: driver failed programming external connectivity ${where}: `;
}
