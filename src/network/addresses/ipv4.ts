import { WharfError } from '../../base/index.ts';

/** An IPv4 range as numbers; `base` has the host bits cleared, `address` is the one that was written. */
export interface Subnet {
  address: number;
  base: number;
  prefix: number;
}

/** `172.17.0.2` → its 32 bits as a number. Errors: `invalid`. */
export function parseIpv4(text: string): number {
  const parts = text.split('.');
  let value = 0;
  for (const part of parts) {
    const octet = Number(part);
    if (!/^\d{1,3}$/.test(part) || octet > 255)
      throw new WharfError('invalid', `invalid IPv4 address "${text}"`);
    value = value * 256 + octet;
  }
  if (parts.length !== 4) throw new WharfError('invalid', `invalid IPv4 address "${text}"`);
  return value;
}

/** The dotted form. */
export function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** Number of addresses in a prefix. */
export function subnetSize(prefix: number): number {
  return 2 ** (32 - prefix);
}

/** `10.0.0.5/8` → base 10.0.0.0. Errors: `invalid`. */
export function parseSubnet(text: string): Subnet {
  const match = /^([\d.]+)\/(\d{1,2})$/.exec(text);
  const prefix = Number(match?.[2]);
  if (!match || prefix > 32) throw new WharfError('invalid', `invalid CIDR "${text}"`);
  const address = parseIpv4(match[1]!);
  return { address, base: address - (address % subnetSize(prefix)), prefix };
}

/** `base/prefix`. */
export function formatSubnet(subnet: { base: number; prefix: number }): string {
  return `${formatIpv4(subnet.base)}/${subnet.prefix}`;
}

/** True when the two ranges share an address. */
export function overlaps(
  left: { base: number; prefix: number },
  right: { base: number; prefix: number },
): boolean {
  return (
    left.base < right.base + subnetSize(right.prefix) && right.base < left.base + subnetSize(left.prefix)
  );
}
