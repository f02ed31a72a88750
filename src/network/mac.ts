import { createHash } from 'node:crypto';
import { macOf } from './addresses/address.ts';

/** A hardware address: derived from the IPv4 address where there is one, else locally administered and always the same for `name`. */
export function macFrom(ipv4: string, name: string): string {
  if (ipv4 && !ipv4.includes(':')) return macOf(ipv4);
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 10);
  return `02:${hash.match(/../g)?.join(':')}`;
}
