import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import type { PublishedPort } from '../types.ts';

/** A host port that is kept from others while it is published. */
export interface HeldPort {
  close(): void;
}

/** Takes a host port; rejects with the system's error (`EADDRINUSE`, `EADDRNOTAVAIL` …). */
export type HoldPort = (protocol: PublishedPort['protocol'], ip: string, port: number) => Promise<HeldPort>;

/**
 * Binds a socket that never serves anyone: published traffic is translated before it would reach a socket. It keeps other
 * programs from taking the port, and gives them the usual `EADDRINUSE`. SCTP has no sockets in Node: nothing is held.
 */
export const holdPort: HoldPort = async (protocol, ip, port) => {
  if (protocol === 'sctp') return { close() {} };
  if (protocol === 'tcp') {
    const server = createServer((socket) => socket.destroy());
    server.unref().listen({ host: ip, port, backlog: 1, exclusive: true });
    await once(server, 'listening');
    server.on('error', ignored);
    return { close: () => void server.close() };
  }
  const socket = createSocket({ type: 'udp4' }).unref();
  socket.bind({ address: ip, port, exclusive: true });
  await once(socket, 'listening');
  socket.on('error', ignored);
  return { close: () => void socket.close() };
};

/** A connection that could not be taken was for nobody; without a listener the error would end the daemon. */
const ignored = () => undefined;

/** The process that listens on a port, as ` (held by NAME, pid N)`; empty when it cannot be told. For error texts only: it reads all of /proc. */
export function holderOf(protocol: PublishedPort['protocol'], port: number): string {
  if (protocol === 'sctp') return '';
  const wanted = listeningInodes(protocol, port);
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

/** Link texts (`socket:[123]`) of the sockets bound to a port; proc(5) describes the columns. */
function listeningInodes(protocol: 'tcp' | 'udp', port: number): Set<string> {
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
      if (listening && columns[1]?.endsWith(suffix)) found.add(`socket:[${columns[9]}]`);
    }
  }
  return found;
}
