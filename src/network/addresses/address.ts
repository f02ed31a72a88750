import { isIPv4, isIPv6 } from 'node:net';
import { WharfError } from '../../base/index.ts';

/** IPv4 or IPv6. */
export type Family = 4 | 6;

/** An address as a number of 32 or 128 bits. */
export interface Address {
  family: Family;
  value: bigint;
}

/** The addresses of one prefix; `base` has the host bits cleared. */
export interface Range {
  family: Family;
  base: bigint;
  prefix: number;
}

const GROUP = 0xffffn;

/** 32 or 128. */
export function bitsOf(family: Family): number {
  return family === 4 ? 32 : 128;
}

/** `172.17.0.2` or `fd00::2`, without zone. Errors: `invalid`. */
export function parseAddress(text: string): Address {
  if (isIPv4(text)) return { family: 4, value: fromDotted(text) };
  if (isIPv6(text) && !text.includes('%')) return { family: 6, value: fromGroups(text) };
  throw new WharfError('invalid', `invalid IP address "${text}"`);
}

/** True for what `parseAddress` reads. */
export function isAddress(text: string): boolean {
  return isIPv4(text) || (isIPv6(text) && !text.includes('%'));
}

/** Dotted, or as RFC 5952 has it: lower case, the longest run of zeros left out. */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((value >> BigInt(112 - at * 16)) & GROUP).toString(16),
  );
  const runs = groups.map((_, at) => groups.slice(at).findIndex((group) => group !== '0'));
  const lengths = runs.map((length, at) => (length < 0 ? 8 - at : length));
  const longest = Math.max(...lengths);
  if (longest < 2) return groups.join(':');
  const start = lengths.indexOf(longest);
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + longest).join(':')}`;
}

/** The same address in the one form that `formatAddress` gives. Errors: `invalid`. */
export function canonicalAddress(text: string): string {
  return formatAddress(parseAddress(text));
}

/** `10.0.0.5/8` → 10.0.0.0/8 of family 4. Errors: `invalid`. */
export function parseRange(cidr: string): Range {
  const { range } = parseCidr(cidr);
  return range;
}

/** An address with the length of its prefix, and the range that it lies in. Errors: `invalid`. */
export function parseCidr(cidr: string): { address: Address; range: Range } {
  const slash = cidr.lastIndexOf('/');
  const [text, length] = [cidr.slice(0, slash), cidr.slice(slash + 1)];
  if (slash < 0 || !isAddress(text) || !/^(0|[1-9]\d{0,2})$/.test(length))
    throw new WharfError('invalid', `invalid CIDR "${cidr}"`);
  const address = parseAddress(text);
  const { family } = address;
  const prefix = Number(length);
  if (prefix > bitsOf(family)) throw new WharfError('invalid', `invalid CIDR "${cidr}"`);
  return { address, range: rangeOf(address, prefix) };
}

/** The prefix of that length in which an address lies. */
export function rangeOf({ family, value }: Address, prefix: number): Range {
  const host = BigInt(bitsOf(family) - prefix);
  return { family, base: (value >> host) << host, prefix };
}

/** `base/prefix`. */
export function formatRange({ family, base, prefix }: Range): string {
  return `${formatAddress({ family, value: base })}/${prefix}`;
}

/** The last address of a range. */
export function lastOf({ family, base, prefix }: Range): bigint {
  return base + (1n << BigInt(bitsOf(family) - prefix)) - 1n;
}

/** True when the address lies in the range. */
export function contains(range: Range, { family, value }: Address): boolean {
  return range.family === family && range.base <= value && value <= lastOf(range);
}

/** True when the two ranges share an address. */
export function overlaps(left: Range, right: Range): boolean {
  return left.family === right.family && left.base <= lastOf(right) && right.base <= lastOf(left);
}

/** True for a range so wide that it says where the world is, not where somebody lives: VPNs cover the default route by halves of the space. */
export function isDefaultLike({ family, prefix }: Range): boolean {
  return prefix < (family === 4 ? 8 : 7);
}

/**
 * The hardware address of a container's interface, derived from its IPv4 address (`02:42:` + the four octets). Whoever
 * gets an address after another container has the same hardware address, so no neighbour table is ever stale.
 */
export function macOf(ipv4: string): string {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(Number(fromDotted(ipv4)));
  return `02:42:${octets.toString('hex').match(/../g)?.join(':')}`;
}

function fromDotted(text: string): bigint {
  return text.split('.').reduce((value, octet) => value * 256n + BigInt(octet), 0n);
}

function fromGroups(text: string): bigint {
  const dotted = /[\d.]+$/.exec(text)?.[0] ?? '';
  const embedded = dotted.includes('.') ? fromDotted(dotted) : undefined;
  const plain =
    embedded === undefined
      ? text
      : `${text.slice(0, -dotted.length)}${(embedded >> 16n).toString(16)}:${(embedded & GROUP).toString(16)}`;
  const [head = '', tail] = plain.split('::');
  const left = head.split(':').filter(Boolean);
  const right = (tail ?? '').split(':').filter(Boolean);
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}
