import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { familyOf, type Place } from './held-port.ts';

/** The process that has a port, as ` (held by NAME, pid N)`; empty when it cannot be told. For error texts only: it reads all of /proc. */
export function holderOf({ protocol, hostIp, hostPort }: Place): string {
  if (protocol === 'sctp') return '';
  const wanted = socketsOn(protocol, hostIp, hostPort);
  if (wanted.size === 0) return '';
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        if (!wanted.has(readlinkSync(`/proc/${pid}/fd/${fd}`))) continue;
        return ` (held by ${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()}, pid ${pid})`;
      }
    } catch {
      // The process or the descriptor went away while it was read.
    }
  }
  return '';
}

/** Link texts (`socket:[123]`) of the sockets in the way; proc(5) describes the columns. */
function socketsOn(protocol: 'tcp' | 'udp', ip: string, port: number): Set<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const found = new Set<string>();
  for (const table of [protocol, `${protocol}6`]) {
    let text = '';
    try {
      text = readFileSync(`/proc/net/${table}`, 'latin1');
    } catch {
      continue;
    }
    for (const line of text.split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      const listening = protocol === 'udp' || columns[3] === '0A';
      const local = columns[1] ?? '';
      if (listening && local.endsWith(suffix) && inTheWay(local.slice(0, -5), ip))
        found.add(`socket:[${columns[9]}]`);
    }
  }
  return found;
}

/** Whether a socket on that address, in the kernel's hexadecimal, may keep another from `ip`. */
function inTheWay(hex: string, ip: string): boolean {
  if (/^0+$/.test(hex)) return hex.length === 32 || familyOf(ip) === 4;
  const mapped = hex.startsWith('0000000000000000FFFF0000') ? hex.slice(24) : hex;
  if (mapped.length === 8) return familyOf(ip) === 4 && (ip === '0.0.0.0' || ipv4Hex(ip) === mapped);
  return familyOf(ip) === 6 && (ip === '::' || ipv6Hex(ip) === mapped);
}

/** As in `/proc/net/tcp`: a word in the byte order of this machine, which is little-endian wherever Node runs. */
function ipv4Hex(ip: string): string {
  return hexOf(ip.split('.').map(Number).reverse());
}

function ipv6Hex(ip: string): string {
  const [head = '', tail] = ip.split('::');
  const groups = (text: string | undefined) =>
    text ? text.split(':').map((group) => Number.parseInt(group, 16)) : [];
  const [first, last] = [groups(head), groups(tail)];
  const all = [...first, ...Array<number>(Math.max(0, 8 - first.length - last.length)).fill(0), ...last];
  const bytes = all.flatMap((group) => [group >> 8, group & 0xff]);
  return [0, 4, 8, 12].map((at) => hexOf(bytes.slice(at, at + 4).reverse())).join('');
}

function hexOf(bytes: number[]): string {
  return bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join('');
}
