import type { AddressPoolRecord } from '../types.ts';
import { contains, type Family, lastOf, parseAddress, parseRange, type Range } from './address.ts';

/** When an address may be had again. */
export interface Rest {
  /** True when the kernel has no more of the interface. */
  gone(holder: string): boolean;
  /** Monotonic, in milliseconds. */
  now(): number;
  quarantineMs: number;
}

/** Addresses of a subnet that an interface may have: from the first to the last one, both included. */
export interface Usable {
  first: bigint;
  last: bigint;
}

/**
 * What the Engine lets be used of a subnet: not the network's own address (in IPv6 the anycast address of its routers, RFC
 * 4291, 2.6.1), not IPv4's broadcast address. An IPv4 /31 or /32 has neither (RFC 3021).
 */
export function usableOf(subnet: Range): Usable {
  const last = lastOf(subnet);
  if (subnet.family === 6) return { first: subnet.base + 1n, last };
  return subnet.prefix > 30 ? { first: subnet.base, last } : { first: subnet.base + 1n, last: last - 1n };
}

/** The part of a subnet from which addresses are chosen. */
export function choiceOf(subnet: Range, ipRange: Range | undefined): Usable {
  const usable = usableOf(subnet);
  if (!ipRange) return usable;
  const last = lastOf(ipRange);
  return {
    first: ipRange.base > usable.first ? ipRange.base : usable.first,
    last: last < usable.last ? last : usable.last,
  };
}

/** The addresses of one subnet, the lowest free one first. Costs memory for what is taken only, however large the subnet. */
export class AddressPool {
  readonly family: Family;
  private readonly subnet: Range;
  private readonly usable: Usable;
  private readonly choice: Usable;
  private readonly rest: Rest;
  /** Who has an address; empty for the gateway and what the user set aside. */
  private readonly taken = new Map<bigint, string>();
  /** Released addresses, the one that rests longest first. */
  private readonly resting = new Map<bigint, { holder: string; since: number }>();
  /** No address of the choice below it is free. */
  private next: bigint;

  constructor(record: AddressPoolRecord, rest: Rest) {
    this.subnet = parseRange(record.subnet);
    this.family = this.subnet.family;
    this.usable = usableOf(this.subnet);
    this.choice = choiceOf(this.subnet, record.ipRange ? parseRange(record.ipRange) : undefined);
    this.rest = rest;
    this.next = this.choice.first;
    for (const address of [record.gateway, ...Object.values(record.auxiliary ?? {})])
      if (address) this.taken.set(parseAddress(address).value, '');
  }

  /** True when the address lies in the subnet, usable or not. */
  covers(value: bigint): boolean {
    return contains(this.subnet, { family: this.family, value });
  }

  /** The lowest free address, or else the one that has rested longest; undefined when there is none. */
  takeAny(holder: string): bigint | undefined {
    this.wake();
    while (this.taken.has(this.next) || this.resting.has(this.next)) this.next++;
    const value = this.next <= this.choice.last ? this.next : this.longestRested();
    if (value === undefined) return undefined;
    this.resting.delete(value);
    this.taken.set(value, holder);
    return value;
  }

  /** Takes one address, or keeps it where the holder has it already. False when it is another's or nobody's ever. */
  takeOne(holder: string, value: bigint): boolean {
    const { first, last } = this.usable;
    const other = this.taken.get(value);
    if (value < first || value > last || (other !== undefined && other !== holder)) return false;
    this.resting.delete(value);
    this.taken.set(value, holder);
    return true;
  }

  /** Lays an address to rest, unless another has it. One that was not counted as taken rests, too. */
  release(holder: string, value: bigint): void {
    if ((this.taken.get(value) ?? holder) !== holder) return;
    this.taken.delete(value);
    if (!this.resting.has(value) && value >= this.usable.first && value <= this.usable.last)
      this.resting.set(value, { holder, since: this.rest.now() });
  }

  private wake(): void {
    const latest = this.rest.now() - this.rest.quarantineMs;
    for (const [value, { holder, since }] of this.resting) {
      if (since > latest) return;
      if (!this.rest.gone(holder)) continue;
      this.resting.delete(value);
      this.free(value);
    }
  }

  private longestRested(): bigint | undefined {
    for (const [value, { holder }] of this.resting)
      if (value >= this.choice.first && value <= this.choice.last && this.rest.gone(holder)) return value;
    return undefined;
  }

  private free(value: bigint): void {
    if (value >= this.choice.first && value < this.next) this.next = value;
  }
}
