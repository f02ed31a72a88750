import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createNetns,
  deleteNetns,
  openSocket,
  pollFd,
  receiveDatagrams,
  sendDatagrams,
} from '../../../sys/index.ts';
import type { EndpointRecord, NetworkRecord, SandboxRecord } from '../../types.ts';
import { encodeName, TYPE } from '../message.ts';
import { Framed, frame } from '../tcp.ts';

/** Namespaces, clients and scripted name servers for tests, which send real packets. */
export class NameLab implements Disposable {
  private readonly folder = mkdtempSync(join(tmpdir(), 'wharf-names-'));
  private readonly undo: (() => void)[] = [];
  private made = 0;

  /** The path of a new namespace. */
  netns(): string {
    this.made += 1;
    const path = join(this.folder, `ns${this.made}`);
    createNetns(path);
    this.undo.push(() => deleteNetns(path));
    return path;
  }

  /** Runs at the end, last first. */
  onEnd(work: () => void): void {
    this.undo.push(work);
  }

  /** A name server at port 53 of `ip`, which does what the script says; `undefined` is silence. Both counts are of questions heard. */
  server(netns: string, ip: string, script: Script): { udp: number; tcp: number } {
    const heard = { udp: 0, tcp: 0 };
    const bind = { ip, port: 53 };
    const udp = openSocket({ family: 4, type: 'dgram', netns, bind });
    const watch = pollFd(udp.fd, { readable: true }, () => {
      receiveDatagrams(udp, (data, peer) => {
        heard.udp += 1;
        const replies = [script(Buffer.from(data), 'udp')].flat().filter((reply) => reply !== undefined);
        sendDatagrams(
          udp,
          replies.map((reply) => ({ data: reply, peer })),
        );
      });
    });
    const tcp = openSocket({ family: 4, type: 'stream', netns, bind, listen: 8 });
    const server = createServer((socket) => {
      const framed = new Framed(0xffff);
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) =>
        framed.push(chunk, (query) => {
          heard.tcp += 1;
          const replies = [script(Buffer.from(query), 'tcp')].flat().filter((reply) => reply !== undefined);
          for (const reply of replies) socket.write(frame(reply));
        }),
      );
    });
    server.listen({ fd: tcp.fd });
    this.undo.push(() => {
      watch[Symbol.dispose]();
      udp.close();
      server.close();
    });
    return heard;
  }

  [Symbol.dispose](): void {
    for (const work of this.undo.reverse()) work();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export type Script = (query: Buffer, transport: 'udp' | 'tcp') => Buffer | Buffer[] | undefined;

/** A query as stub resolvers send it. */
export function query(
  name: string,
  type: number = TYPE.A,
  options: { id?: number; class?: number; flags?: number; edns?: number } = {},
): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(options.id ?? 0x1234, 0);
  header.writeUInt16BE(options.flags ?? 0x0100, 2);
  header.writeUInt16BE(1, 4);
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(type, 0);
  tail.writeUInt16BE(options.class ?? 1, 2);
  const wire = name === '' ? Buffer.of(0) : encodeName(name);
  if (!wire) throw new TypeError(`${name} is no name`);
  if (options.edns === undefined) return Buffer.concat([header, wire, tail]);
  header.writeUInt16BE(1, 10);
  const opt = Buffer.from([0, 0, 41, 0, 0, 0, 0, 0, 0, 0, 0]);
  opt.writeUInt16BE(options.edns, 3);
  return Buffer.concat([header, wire, tail, opt]);
}

/** A reply to a query, with some A records of the question's name; `flags` are added to those of a response. */
export function reply(to: Buffer, addresses: string[] = [], flags = 0): Buffer {
  const end = questionEnd(to);
  const head = Buffer.from(to.subarray(0, end));
  head.writeUInt16BE(0x8180 | flags, 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt16BE(0, 10);
  const record = (ip: string) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...ip.split('.').map(Number)]);
  return Buffer.concat([head, ...addresses.map(record)]);
}

/** What a reply says: its id, code, TC flag, and the records by type and content (addresses; names; else hexadecimal). */
export function read(message: Buffer) {
  const flags = message.readUInt16BE(2);
  const records: { type: number; ttl: number; data: string }[] = [];
  let at = questionEnd(message);
  for (let left = message.readUInt16BE(6) + message.readUInt16BE(10); left > 0; left--) {
    at += message[at] === 0 ? 1 : 2;
    const [type, ttl, size] = [
      message.readUInt16BE(at),
      message.readUInt32BE(at + 4),
      message.readUInt16BE(at + 8),
    ];
    records.push({ type, ttl, data: contentOf(type, message.subarray(at + 10, at + 10 + size)) });
    at += 10 + size;
  }
  return {
    id: message.readUInt16BE(0),
    code: flags & 0xf,
    truncated: (flags & 0x200) !== 0,
    records,
    data: records.filter(({ type }) => type !== TYPE.OPT).map(({ data }) => data),
    whole: at === message.length,
  };
}

function contentOf(type: number, data: Buffer): string {
  if (type === TYPE.A) return data.join('.');
  if (type === TYPE.AAAA) return data.toString('hex').replace(/.{4}(?!$)/g, '$&:');
  if (type !== TYPE.PTR) return data.toString('hex');
  const labels: string[] = [];
  for (let at = 0; data[at]; at += 1 + data[at]!)
    labels.push(data.toString('latin1', at + 1, at + 1 + data[at]!));
  return labels.join('.');
}

function questionEnd(message: Buffer): number {
  let at = 12;
  while (message[at]) at += 1 + message[at]!;
  return at + 5;
}

/** Sends a query as a process of the namespace does, and gives the first reply; undefined after `patience` milliseconds or when refused. */
export async function ask(
  netns: string,
  message: Buffer,
  { to = '127.0.0.11', patience = 8000 }: { to?: string; patience?: number } = {},
): Promise<Buffer | undefined> {
  const socket = openSocket({ family: 4, type: 'dgram', netns, connect: { ip: to, port: 53 } });
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const timer = setTimeout(resolve, patience, undefined);
  const watch = pollFd(
    socket.fd,
    { readable: true },
    () => {
      try {
        receiveDatagrams(socket, (data) => resolve(Buffer.from(data)));
      } catch {
        resolve(undefined);
      }
    },
    { keepAlive: true },
  );
  sendDatagrams(socket, [{ data: message }]);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    watch[Symbol.dispose]();
    socket.close();
  }
}

/** A connection to the name server of a namespace. */
export function connectTcp(netns: string, to = '127.0.0.11'): Socket {
  const { fd } = openSocket({ family: 4, type: 'stream', netns, connect: { ip: to, port: 53 } });
  return new Socket({ fd });
}

/** Asks over TCP: all messages at once; as many replies as messages. */
export async function askTcp(netns: string, ...messages: Buffer[]): Promise<Buffer[]> {
  const socket = connectTcp(netns);
  const framed = new Framed(0xffff);
  const replies: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.on('error', reject);
  socket.on('close', () => resolve());
  socket.on('data', (chunk) => {
    framed.push(chunk, (message) => replies.push(Buffer.from(message)));
    if (replies.length >= messages.length) resolve();
  });
  socket.write(Buffer.concat(messages.map(frame)));
  try {
    await promise;
    return replies;
  } finally {
    socket.destroy();
  }
}

/** A network of a user. */
export function network(id: string, more: Partial<NetworkRecord> = {}): NetworkRecord {
  const pools = [{ subnet: '10.9.0.0/16', gateway: '10.9.0.1' }];
  const common = {
    createdAt: '',
    options: {},
    labels: {},
    internal: false,
    enableIPv4: true,
    enableIPv6: false,
  };
  return { id, name: id, driver: 'bridge', ...common, pools, ...more };
}

/** A container's place on a network, by its names and addresses. */
export function endpoint(
  networkId: string,
  ipv4: string,
  dnsNames: string[],
  more: Partial<EndpointRecord> = {},
): EndpointRecord {
  return {
    endpointId: `${networkId}-${ipv4}`,
    networkId,
    networkName: networkId,
    macAddress: '02:00:00:00:00:01',
    ipv4,
    ipv4PrefixLen: 16,
    ipv4Gateway: '10.9.0.1',
    interfaceName: 'eth0',
    hostInterface: 'wv0',
    dnsNames,
    ...more,
  };
}

/** A sandbox, its container's id being the sandbox's. */
export function sandbox(sandboxId: string, netnsPath: string, ...endpoints: EndpointRecord[]): SandboxRecord {
  return { sandboxId, containerId: sandboxId, netnsPath, endpoints, ports: [] };
}
