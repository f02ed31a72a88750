import { readFileSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { errnoCode, WharfError } from '../../base/index.ts';
import type { PortTarget } from '../firewall/rules.ts';
import type { PortRequest, PublishedPort } from '../types.ts';
import { type HeldPort, type HoldPort, holderOf, holdPort } from './host-port.ts';

/** For whom ports are published. */
export interface PortOwner {
  containerId: string;
  /** Shown in errors, as the Engine does. */
  name: string;
  endpointId: string;
  containerIp: string;
}

interface Allocation {
  port: PublishedPort;
  containerId: string;
  held: HeldPort | undefined;
}

/** What the system says in strerror(3)'s words, as the Engine's texts have it. */
const ERRNO_TEXT: Record<string, string> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
};

const WILDCARD = '0.0.0.0';

/** The host ports that containers of this daemon have. Allocation is checked against the table and by really binding. */
export class PortTable {
  private readonly byPort = new Map<string, Allocation[]>();
  private readonly hold: HoldPort;
  private readonly hostBinding: string;
  private readonly ipv6: boolean;
  private readonly range: [number, number];
  private cursor: number;

  constructor(options: { hostBinding: string; hold?: HoldPort; ipv6?: boolean; range?: [number, number] }) {
    this.hold = options.hold ?? holdPort;
    this.hostBinding = options.hostBinding;
    this.ipv6 = options.ipv6 ?? hostHasIpv6();
    this.range = options.range ?? ephemeralRange();
    this.cursor = this.range[0];
  }

  /** Allocates all requests or none, in their order. Errors: `conflict` with the Engine's text, `invalid`, `not-implemented` (IPv6 addresses). */
  async reserve(requests: readonly PortRequest[], owner: PortOwner): Promise<PublishedPort[]> {
    const made: PublishedPort[] = [];
    try {
      // Fixed ports first, so that a free one is never chosen where a fixed one is asked for.
      for (const request of [...requests].sort((a, b) => Number(a.hostPort === 0) - Number(b.hostPort === 0)))
        made.push(...(await this.reserveOne(request, owner)));
      return made;
    } catch (thrown) {
      this.release(made);
      throw thrown;
    }
  }

  /** Takes ports back that a container has since before this daemon started. A port that another program took meanwhile is named, not refused. */
  async restore(ports: readonly PublishedPort[], owner: PortOwner): Promise<string[]> {
    const problems: string[] = [];
    for (const port of ports) {
      if (port.hostIp.includes(':') || this.clash(port)?.containerId === owner.containerId) continue;
      const allocation: Allocation = { port, containerId: owner.containerId, held: undefined };
      this.insert(allocation);
      try {
        allocation.held = await this.hold(port.protocol, port.hostIp, port.hostPort);
      } catch (thrown) {
        const reason = errnoCode(thrown) ?? String(thrown);
        problems.push(`${port.hostIp}:${port.hostPort}/${port.protocol} could not be held: ${reason}`);
      }
    }
    return problems;
  }

  /** Gives ports back; unknown ones are ignored. */
  release(ports: readonly PublishedPort[]): void {
    for (const port of ports) {
      const key = keyOf(port.protocol, port.hostPort);
      const left = (this.byPort.get(key) ?? []).filter((allocation) => {
        if (allocation.port.hostIp !== port.hostIp) return true;
        allocation.held?.close();
        return false;
      });
      if (left.length > 0) this.byPort.set(key, left);
      else this.byPort.delete(key);
    }
  }

  /** Gives every port back. */
  releaseAll(): void {
    for (const allocations of this.byPort.values()) for (const { held } of allocations) held?.close();
    this.byPort.clear();
  }

  private async reserveOne(request: PortRequest, owner: PortOwner): Promise<PublishedPort[]> {
    const ip = request.hostIp || this.hostBinding;
    if (isIPv6(ip)) {
      const what = `publishing port ${request.containerPort} on the IPv6 address ${ip}`;
      throw new WharfError(
        'not-implemented',
        `${what} needs a network with IPv6, which this engine has not yet`,
      );
    }
    if (!isIPv4(ip)) throw new WharfError('invalid', `invalid host address "${ip}" of a published port`);
    const port = await this.firstFree(request, ip, owner);
    // The Engine lists the IPv6 wildcard beside the IPv4 one; there is nothing behind it without IPv6 on the bridge.
    const both = ip === WILDCARD && request.hostIp === '' && this.ipv6;
    return both ? [port, { ...port, hostIp: '::' }] : [port];
  }

  private async firstFree(request: PortRequest, ip: string, owner: PortOwner): Promise<PublishedPort> {
    const { protocol, containerPort } = request;
    let refusal: unknown;
    for (const hostPort of this.candidates(request)) {
      const port: PublishedPort = { protocol, containerPort, hostIp: ip, hostPort };
      try {
        await this.claim(port, owner);
        if (request.hostPort === 0) this.cursor = hostPort === this.range[1] ? this.range[0] : hostPort + 1;
        return port;
      } catch (thrown) {
        refusal = thrown;
        if (!(thrown instanceof WharfError && thrown.kind === 'conflict')) throw thrown;
      }
    }
    if (request.hostPort !== 0 && refusal) throw refusal;
    throw new WharfError('exhausted', `${prefix(owner)}all ports are allocated`);
  }

  private *candidates(request: PortRequest): Generator<number> {
    if (request.hostPort !== 0) {
      const end = request.hostPortEnd ?? request.hostPort;
      for (let port = request.hostPort; port <= end; port++) yield port;
      return;
    }
    const [low, high] = this.range;
    const size = high - low + 1;
    const start = this.cursor;
    for (let step = 0; step < size; step++) yield low + ((start - low + step) % size);
  }

  private async claim(port: PublishedPort, owner: PortOwner): Promise<void> {
    const taken = this.clash(port);
    const where = `${port.hostIp}:${port.hostPort}`;
    if (taken) {
      const by = ` (by container ${taken.containerId.slice(0, 12)})`;
      throw new WharfError(
        'conflict',
        `${prefix(owner)}Bind for ${where} failed: port is already allocated${by}`,
      );
    }
    const allocation: Allocation = { port, containerId: owner.containerId, held: undefined };
    // Entered before the bind is awaited, so that nobody else starts on the same port.
    this.insert(allocation);
    try {
      allocation.held = await this.hold(port.protocol, port.hostIp, port.hostPort);
    } catch (thrown) {
      this.release([port]);
      const code = errnoCode(thrown) ?? '';
      const reason = ERRNO_TEXT[code] ?? String(thrown);
      const holder = code === 'EADDRINUSE' ? holderOf(port.protocol, port.hostPort) : '';
      const target = `${owner.containerIp}:${port.containerPort}/${port.protocol}`;
      const text = `failed to bind host port for ${where}:${target}: ${reason}${holder}`;
      throw new WharfError('conflict', prefix(owner) + text, { cause: thrown });
    }
  }

  private clash(port: PublishedPort): Allocation | undefined {
    return this.byPort
      .get(keyOf(port.protocol, port.hostPort))
      ?.find(
        ({ port: { hostIp } }) => hostIp === port.hostIp || hostIp === WILDCARD || port.hostIp === WILDCARD,
      );
  }

  private insert(allocation: Allocation): void {
    const key = keyOf(allocation.port.protocol, allocation.port.hostPort);
    this.byPort.set(key, [...(this.byPort.get(key) ?? []), allocation]);
  }
}

/** The published ports as the rules need them. */
export function portTargets(ports: readonly PublishedPort[], containerIp: string): PortTarget[] {
  return ports.map((port) => ({ ...port, containerIp }));
}

function keyOf(protocol: string, port: number): string {
  return `${protocol}/${port}`;
}

/** How the Engine begins the text when a port cannot be had. */
function prefix(owner: PortOwner): string {
  const where = `on endpoint ${owner.name} (${owner.endpointId})`;
  return `failed to set up container networking: driver failed programming external connectivity ${where}: `;
}

/** The range of ip(7) `ip_local_port_range`, from which the Engine takes free ports, too. */
function ephemeralRange(): [number, number] {
  const [low, high] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number);
  return low && high && low < high ? [low, high] : [32768, 60999];
}

function hostHasIpv6(): boolean {
  try {
    return readFileSync('/proc/sys/net/ipv6/conf/all/disable_ipv6', 'utf8').trim() === '0';
  } catch {
    return false;
  }
}
