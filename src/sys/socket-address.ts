import { WharfError } from '../base/index.ts';
import { libcFunction } from './libc.ts';
import { AF_INET, AF_INET6, addressBytes, formatAddress } from './netlink/address.ts';

/** An address and port of IPv4 or IPv6. A link-local address may carry its link: `fe80::1%eth0`. */
export interface SocketAddress {
  ip: string;
  port: number;
}

const SIZE_OF_SOCKADDR_IN = 16;
const SIZE_OF_SOCKADDR_IN6 = 28;

const indexCall = libcFunction<[string]>('uint if_nametoindex(const char *name)');

/** `struct sockaddr_in` or `sockaddr_in6`. A link is looked up in the present namespace. `invalid` when it is no address. */
export function encodeSocketAddress(address: SocketAddress): Buffer {
  const { port } = address;
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new WharfError('invalid', `${port} is not a port`);
  const [ip = '', link] = address.ip.split('%');
  const bytes = addressBytes(ip);
  const four = bytes.length === 4;
  const raw = Buffer.alloc(four ? SIZE_OF_SOCKADDR_IN : SIZE_OF_SOCKADDR_IN6);
  raw.writeUInt16LE(four ? AF_INET : AF_INET6, 0);
  raw.writeUInt16BE(port, 2);
  raw.set(bytes, four ? 4 : 8);
  if (link !== undefined && !four) raw.writeUInt32LE(scopeOf(link), 24);
  return raw;
}

function scopeOf(link: string): number {
  const index = /^\d+$/.test(link) ? Number(link) : indexCall(link);
  if (index === 0) throw new WharfError('not-found', `no network interface ${link}`);
  return index;
}

const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

/**
 * Reads a raw socket address as the kernel gives it. An IPv4 address mapped into IPv6 is written `::ffff:192.0.2.1`; the
 * link of a link-local one by its index. `invalid` for another family.
 */
export function decodeSocketAddress(raw: Buffer): SocketAddress {
  const family = raw.length < 8 ? 0 : raw.readUInt16LE(0);
  if (family === AF_INET) return { ip: formatAddress(raw.subarray(4, 8)), port: raw.readUInt16BE(2) };
  if (family !== AF_INET6 || raw.length < SIZE_OF_SOCKADDR_IN6)
    throw new WharfError('invalid', `a socket address of family ${family} is neither IPv4 nor IPv6`);
  const bytes = raw.subarray(8, 24);
  const scope = raw.readUInt32LE(24);
  const ip = bytes.subarray(0, 12).equals(MAPPED)
    ? `::ffff:${formatAddress(bytes.subarray(12))}`
    : formatAddress(bytes);
  return { ip: scope === 0 ? ip : `${ip}%${scope}`, port: raw.readUInt16BE(2) };
}
