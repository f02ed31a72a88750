import { WharfError } from '../../base/index.ts';
import type { AddressSpace } from '../config.ts';
import {
  formatIpv4,
  formatSubnet,
  overlaps,
  parseIpv4,
  parseSubnet,
  type Subnet,
  subnetSize,
} from './ipv4.ts';

/** A range somebody uses already. */
export type Range = Pick<Subnet, 'base' | 'prefix'>;

/** The first subnet of the spaces that touches nothing in use. Errors: `exhausted`. */
export function chooseSubnet(spaces: readonly AddressSpace[], inUse: readonly Range[]): string {
  for (const { base, size } of spaces) {
    const space = parseSubnet(base);
    for (let at = space.base; at < space.base + subnetSize(space.prefix); at += subnetSize(size)) {
      const candidate = { base: at, prefix: size };
      if (!inUse.some((range) => overlaps(range, candidate))) return formatSubnet(candidate);
    }
  }
  throw new WharfError('exhausted', 'all predefined address pools have been fully subnetted');
}

/** The Engine's text. */
const NO_ADDRESS =
  "failed to set up container networking: no available IPv4 addresses on this network's address pools";

/**
 * The addresses of one subnet, lowest free one first. A released address rests until `gone` says that the interface
 * which had it has left the bridge: until then its old namespace may still answer ARP for it.
 */
export class AddressPool {
  readonly subnet: string;
  private readonly label: string;
  private readonly first: number;
  private readonly last: number;
  /** Who has an address: the name of a host interface, or empty for what is nobody's. */
  private readonly taken = new Map<number, string>();
  private readonly resting = new Map<number, string>();
  private readonly gone: (hostInterface: string) => boolean;
  private next: number;

  /** `label` names the network in errors. */
  constructor(
    subnet: string,
    reserved: readonly string[],
    gone: (hostInterface: string) => boolean,
    label = subnet,
  ) {
    this.label = label;
    const { base, prefix } = parseSubnet(subnet);
    this.subnet = subnet;
    // The network and broadcast addresses are nobody's.
    this.first = base + 1;
    this.last = base + subnetSize(prefix) - 2;
    this.next = this.first;
    this.gone = gone;
    for (const address of reserved) this.taken.set(parseIpv4(address), '');
  }

  /** Takes a free address for a host interface. Errors: `exhausted`. */
  take(hostInterface: string): string {
    this.wake();
    for (; this.next <= this.last; this.next++) {
      if (this.taken.has(this.next) || this.resting.has(this.next)) continue;
      this.taken.set(this.next, hostInterface);
      return formatIpv4(this.next++);
    }
    this.next = this.lowestFree();
    if (this.next <= this.last) return this.take(hostInterface);
    throw new WharfError('exhausted', `${NO_ADDRESS}: ${this.label}`);
  }

  /** Marks an address as used by that interface (at recovery). False when another has it or it lies outside. */
  claim(address: string, hostInterface: string): boolean {
    const value = parseIpv4(address);
    const holder = this.taken.get(value);
    if (value < this.first || value > this.last || (holder !== undefined && holder !== hostInterface))
      return false;
    this.resting.delete(value);
    this.taken.set(value, hostInterface);
    return true;
  }

  /** Gives an address back; it is handed out again when `hostInterface` is gone. One that was not counted as used rests all the same. */
  release(address: string, hostInterface: string): void {
    const value = parseIpv4(address);
    this.taken.delete(value);
    if (value >= this.first && value <= this.last) this.resting.set(value, hostInterface);
  }

  private wake(): void {
    for (const [value, hostInterface] of this.resting) {
      if (!this.gone(hostInterface)) continue;
      this.resting.delete(value);
      if (value < this.next) this.next = value;
    }
  }

  private lowestFree(): number {
    let at = this.first;
    while (at <= this.last && (this.taken.has(at) || this.resting.has(at))) at++;
    return at;
  }
}
