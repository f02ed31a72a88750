import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Addresses of this machine itself, and link-local ones, where clouds serve the secrets of a machine. */
function inwardAddresses(): BlockList {
  const list = new BlockList();
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  list.addSubnet('0.0.0.0', 8, 'ipv4');
  list.addSubnet('169.254.0.0', 16, 'ipv4');
  list.addAddress('::', 'ipv6');
  list.addAddress('::1', 'ipv6');
  list.addSubnet('fe80::', 10, 'ipv6');
  list.addAddress('fd00:ec2::254', 'ipv6');
  return list;
}

let addresses: BlockList | undefined;

/** True for an address that a registry elsewhere has no business to send us to. */
export function isInwardAddress(address: string): boolean {
  const version = isIP(address);
  addresses ??= inwardAddresses();
  return version !== 0 && addresses.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/** The same for the host of a URL, as far as it tells without asking for a name. */
export function isInwardHost(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return /(^|\.)localhost\.?$/.test(bare) || isInwardAddress(bare);
}

/** How names are resolved, all addresses at once. */
type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A resolver for connections to which another server sent us: a name that leads inward is refused, by `refusal`'s error,
 * at the moment of connecting.
 */
export function guardedLookup(resolve: Resolve, refusal: () => Error): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0);
      if (found.some(({ address }) => isInwardAddress(address))) return callback(refusal(), '', 0);
      if (options.all) return callback(null, found);
      return callback(null, found[0]?.address ?? '', found[0]?.family ?? 0);
    });
  };
}
