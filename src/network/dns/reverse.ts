import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** What asks for an address backwards: `2.0.17.172.in-addr.arpa` (RFC 1035 section 3.5), `….ip6.arpa` (RFC 3596 section 2.5). */
export function reverseName(address: string): string {
  if (isIPv4(address)) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  return `${[...addressBytes(address).toString('hex')].reverse().join('.')}.ip6.arpa`;
}

/** The address that a question backwards means, or undefined when it means none. */
export function reversedAddress(name: string): string | undefined {
  const four = /^([\d.]{7,15})\.in-addr\.arpa$/.exec(name)?.[1]?.split('.').reverse().join('.');
  if (four !== undefined) return isIPv4(four) ? four : undefined;
  const digits = /^((?:[\da-f]\.){32})ip6\.arpa$/.exec(name)?.[1]?.replaceAll('.', '');
  return (
    digits &&
    [...digits]
      .reverse()
      .join('')
      .replace(/.{4}(?!$)/g, '$&:')
  );
}

/** True for an address of the range `subnet` (CIDR). */
export function isWithin(address: string, subnet: string): boolean {
  const family = (ip: string) => (isIPv6(ip) ? 'ipv6' : 'ipv4');
  const [base = '', prefix] = subnet.split('/');
  if (family(base) !== family(address)) return false;
  const range = new BlockList();
  range.addSubnet(base, Number(prefix), family(base));
  return range.check(address, family(address));
}

/** The octets of an address, in the order of the network: what an A or AAAA record holds. */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // The URL parser writes every form in groups of digits, also one that ends in an IPv4 address.
  const [head, tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const before = head ? head.split(':') : [];
  const after = tail ? tail.split(':') : [];
  const between = Array<string>(8 - before.length - after.length).fill('0');
  return Buffer.from(
    [...before, ...between, ...after].map((group) => group.padStart(4, '0')).join(''),
    'hex',
  );
}
