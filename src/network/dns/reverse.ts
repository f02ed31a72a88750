import { isIPv4 } from 'node:net';
import { addressBytes } from '../../sys/index.ts';

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
