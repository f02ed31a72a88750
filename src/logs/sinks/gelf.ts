import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflate, gzip } from 'node:zlib';
import type { DatagramConnection } from './datagram-connection.ts';
import type { StreamConnection } from './stream-connection.ts';
import type { LogEntry, LogSink, LogSource } from './types.ts';

const gzipAsync = promisify(gzip);
const deflateAsync = promisify(deflate);

export interface GelfOptions {
  hostname: string;
  source: LogSource;
  /** For datagrams only. */
  compression: 'gzip' | 'zlib' | 'none';
  level: number;
}

const ERROR = 3;
const INFORMATIONAL = 6;
/** A datagram: 12 bytes of a chunk's head and its data. */
const CHUNK = 1420;
const CHUNK_HEAD = 12;
const MOST_CHUNKS = 128;
const MAGIC = Buffer.from([0x1e, 0x0f]);
const END = Buffer.alloc(1);

/** One GELF 1.1 message, as JSON. */
export function gelfMessage({ hostname, source }: GelfOptions, entry: LogEntry): Buffer {
  const more = Object.fromEntries(
    [...source.attributes].map(([key, value]) => [key.startsWith('_') ? key : `_${key}`, value]),
  );
  return Buffer.from(
    JSON.stringify({
      version: '1.1',
      host: hostname,
      short_message: entry.line.toString('utf8'),
      timestamp: Number(entry.time / 1_000_000n) / 1000,
      level: entry.stream === 'stderr' ? ERROR : INFORMATIONAL,
      _command: source.command,
      _container_id: source.id,
      _container_name: source.name,
      _created: source.created,
      _image_id: source.imageId,
      _image_name: source.imageName,
      _tag: source.tag,
      ...more,
    }),
  );
}

/** The datagrams of a message. One that needs more than 128 chunks can't be sent and is undefined. */
export function gelfChunks(message: Buffer): Buffer[] | undefined {
  if (message.length <= CHUNK) return [message];
  const room = CHUNK - CHUNK_HEAD;
  const count = Math.ceil(message.length / room);
  if (count > MOST_CHUNKS) return undefined;
  const id = randomBytes(8);
  return Array.from({ length: count }, (_, at) =>
    Buffer.concat([MAGIC, id, Buffer.from([at, count]), message.subarray(at * room, (at + 1) * room)]),
  );
}

/** Sends lines as GELF. Empty lines are left out, since a message must have a text. */
export class GelfSink implements LogSink {
  private readonly connection: StreamConnection | DatagramConnection;
  private readonly options: GelfOptions;

  constructor(connection: StreamConnection | DatagramConnection, options: GelfOptions) {
    this.connection = connection;
    this.options = options;
  }

  async send(entries: readonly LogEntry[], signal: AbortSignal): Promise<void> {
    const messages = entries
      .filter(({ line }) => line.length > 0)
      .map((entry) => gelfMessage(this.options, entry));
    if (messages.length === 0) return;
    if ('write' in this.connection) {
      return this.connection.write(Buffer.concat(messages.flatMap((message) => [message, END])), signal);
    }
    for (const message of messages) {
      for (const chunk of gelfChunks(await this.pack(message)) ?? []) {
        await this.connection.send(chunk, signal);
      }
    }
  }

  private async pack(message: Buffer): Promise<Buffer> {
    const { compression, level } = this.options;
    if (compression === 'none') return message;
    return compression === 'gzip' ? gzipAsync(message, { level }) : deflateAsync(message, { level });
  }

  close(): void {
    this.connection.drop();
  }
}
