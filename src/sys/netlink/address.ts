import { isIPv4, isIPv6 } from 'node:net';
import { WharfError } from '../../base/index.ts';

export const AF_INET = 2;
export const AF_INET6 = 10;

/** The bytes of an IPv4 (4) or IPv6 (16) address; `invalid` for anything else. */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  if (!isIPv6(address) || address.includes('%'))
    throw new WharfError('invalid', `${address} is not an IP address`);
  const embedded = address.lastIndexOf(':') + 1;
  const text = address.includes('.')
    ? address.slice(0, embedded) +
      addressBytes(address.slice(embedded))
        .toString('hex')
        .replace(/^(....)/, '$1:')
    : address;
  const [head = '', tail] = text.split('::');
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const zeros = new Array<number>(8 - front.length - back.length).fill(0);
  const bytes = Buffer.alloc(16);
  for (const [at, group] of [...front, ...zeros, ...back].entries()) bytes.writeUInt16BE(group, at * 2);
  return bytes;
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

/** The text of an address of 4 or 16 bytes; IPv6 in its short form (RFC 5952). */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const view = Buffer.from(bytes);
  const parts = Array.from({ length: 8 }, (_, at) => view.readUInt16BE(at * 2));
  let [start, length] = [-1, 1];
  for (let at = 0; at < 8; at++) {
    let end = at;
    while (end < 8 && parts[end] === 0) end++;
    if (end - at > length) [start, length] = [at, end - at];
    if (end > at) at = end;
  }
  const hex = (from: number, to: number) =>
    parts
      .slice(from, to)
      .map((part) => part.toString(16))
      .join(':');
  return start < 0 ? hex(0, 8) : `${hex(0, start)}::${hex(start + length, 8)}`;
}

/** An address with the length of its network. */
export interface Cidr {
  family: number;
  bytes: Buffer;
  prefix: number;
}

/** Parses `172.17.0.2/16`; an address alone is a host. `invalid` for anything else. */
export function parseCidr(text: string): Cidr {
  const [address = '', length, ...rest] = text.split('/');
  const bytes = addressBytes(address);
  const bits = bytes.length * 8;
  const prefix = length === undefined ? bits : Number(length);
  if (rest.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length)) || prefix > bits) {
    throw new WharfError('invalid', `${text} is not an address with a prefix length`);
  }
  return { family: bytes.length === 4 ? AF_INET : AF_INET6, bytes, prefix };
}

/** The broadcast address of an IPv4 network, or undefined where it has none (/31, /32, IPv6). */
export function broadcastOf(cidr: Cidr): Buffer | undefined {
  if (cidr.family !== AF_INET || cidr.prefix > 30) return undefined;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE((cidr.bytes.readUInt32BE(0) | (0xffffffff >>> cidr.prefix)) >>> 0);
  return bytes;
}

/** The six bytes of `02:42:ac:11:00:02`. */
export function macBytes(mac: string): Buffer {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac))
    throw new WharfError('invalid', `${mac} is not a MAC address`);
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

/** `02:42:ac:11:00:02` of six bytes. */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
