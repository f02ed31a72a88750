import { abortable, errnoCode, WharfError } from '../../base/index.ts';
import { sealedFile, UnixDatagram } from '../../sys/index.ts';
import { formatNanos } from '../record.ts';
import type { LogEntry, LogSink, LogSource } from './types.ts';

/** Where systemd-journald listens. */
export const JOURNAL_SOCKET = '/run/systemd/journal/socket';

const ERROR = '3';
const INFORMATIONAL = '6';
const NEWLINE = Buffer.from('\n');

/** The fields that name a container in the journal. */
export function journalFields(source: LogSource): Map<string, string> {
  return new Map([
    ['CONTAINER_ID', source.id.slice(0, 12)],
    ['CONTAINER_ID_FULL', source.id],
    ['CONTAINER_NAME', source.name],
    ['CONTAINER_TAG', source.tag],
    ['IMAGE_NAME', source.imageName],
    ['SYSLOG_IDENTIFIER', source.tag],
    ...[...source.attributes].map(([key, value]) => [fieldName(key), value] as const),
  ]);
}

/** A journal's field has upper-case letters, digits and underscores, and begins with none of the latter. */
function fieldName(key: string): string {
  return key
    .toUpperCase()
    .replace(/[^A-Z0-9_]/g, '_')
    .replace(/^_+/, '');
}

/** One entry in journald's native protocol (systemd: JOURNAL_NATIVE_PROTOCOL). */
export function journalMessage(fields: ReadonlyMap<string, string>, entry: LogEntry): Buffer {
  const parts: Buffer[] = [];
  add(parts, 'PRIORITY', Buffer.from(entry.stream === 'stderr' ? ERROR : INFORMATIONAL));
  add(parts, 'SYSLOG_TIMESTAMP', Buffer.from(formatNanos(entry.time)));
  for (const [name, value] of fields) if (name !== '') add(parts, name, Buffer.from(value));
  if (entry.partial) {
    add(parts, 'CONTAINER_PARTIAL_MESSAGE', Buffer.from('true'));
    add(parts, 'CONTAINER_PARTIAL_ID', Buffer.from(entry.partial.id));
    add(parts, 'CONTAINER_PARTIAL_ORDINAL', Buffer.from(String(entry.partial.ordinal)));
    add(parts, 'CONTAINER_PARTIAL_LAST', Buffer.from(String(entry.partial.last)));
  }
  add(parts, 'MESSAGE', entry.line);
  return Buffer.concat(parts);
}

/** A value with a newline in it is preceded by its length; nothing a container says can then be another field. */
function add(parts: Buffer[], name: string, value: Buffer): void {
  if (!value.includes(NEWLINE)) {
    parts.push(Buffer.from(`${name}=`), value, NEWLINE);
    return;
  }
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  parts.push(Buffer.from(`${name}\n`), length, value, NEWLINE);
}

/** Writes lines into the journal of this machine. */
export class JournaldSink implements LogSink {
  private readonly path: string;
  private readonly fields: ReadonlyMap<string, string>;
  private socket: UnixDatagram | undefined;

  constructor(source: LogSource, path = JOURNAL_SOCKET) {
    this.path = path;
    this.fields = journalFields(source);
  }

  async send(entries: readonly LogEntry[], signal: AbortSignal): Promise<void> {
    try {
      this.socket ??= UnixDatagram.connect(this.path);
      for (const entry of entries) {
        signal.throwIfAborted();
        await this.sendOne(this.socket, journalMessage(this.fields, entry), signal);
      }
    } catch (thrown) {
      this.close();
      signal.throwIfAborted();
      throw new WharfError('unavailable', `journald: ${WharfError.from(thrown).message}`, { cause: thrown });
    }
  }

  private async sendOne(socket: UnixDatagram, message: Buffer, signal: AbortSignal): Promise<void> {
    try {
      await abortable(socket.send(message), signal);
    } catch (thrown) {
      if (errnoCode((thrown as Error).cause) !== 'EMSGSIZE') throw thrown;
      // What is too long for a datagram goes as a descriptor of a file in memory; journald takes a sealed one only.
      using file = sealedFile('journal', message);
      await abortable(socket.send(Buffer.alloc(0), file), signal);
    }
  }

  close(): void {
    this.socket?.close();
    this.socket = undefined;
  }
}
