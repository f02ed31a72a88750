import { formatNanos } from '../record.ts';
import type { DatagramConnection } from './datagram-connection.ts';
import type { StreamConnection } from './stream-connection.ts';
import type { LogEntry, LogSink } from './types.ts';

/** Forms of a syslog message; `unix` is the one without a host name, for a log on this machine. */
export type SyslogFormat = 'unix' | 'rfc3164' | 'rfc5424' | 'rfc5424micro';

export interface SyslogOptions {
  facility: number;
  format: SyslogFormat;
  tag: string;
  hostname: string;
  pid: number;
  /** Each message begins with its length (RFC 5425), as it does over TLS. */
  counted: boolean;
}

const ERROR = 3;
const INFORMATIONAL = 6;
const NEWLINE = Buffer.from('\n');
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** One message as it goes to the server, newline included. */
export function syslogMessage(options: SyslogOptions, entry: LogEntry): Buffer {
  const priority = options.facility * 8 + (entry.stream === 'stderr' ? ERROR : INFORMATIONAL);
  const message = Buffer.concat([
    Buffer.from(`<${priority}>${head(options, entry.time)}`),
    entry.line,
    NEWLINE,
  ]);
  return options.counted ? Buffer.concat([Buffer.from(`${message.length} `), message]) : message;
}

function head({ format, hostname, tag, pid }: SyslogOptions, time: bigint): string {
  if (format === 'rfc5424' || format === 'rfc5424micro') {
    const at = formatNanos(time);
    const stamp = format === 'rfc5424' ? `${at.slice(0, 19)}Z` : `${at.slice(0, 26)}Z`;
    return `1 ${stamp} ${hostname} ${tag} ${pid} ${tag} - `;
  }
  const stamp = localStamp(new Date(Number(time / 1_000_000n)));
  return format === 'rfc3164' ? `${stamp} ${hostname} ${tag}[${pid}]: ` : `${stamp} ${tag}[${pid}]: `;
}

/** RFC 3164, 4.1.2: local time, the day padded by a blank. */
function localStamp(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':');
  return `${MONTHS[at.getMonth()]} ${String(at.getDate()).padStart(2, ' ')} ${clock}`;
}

/** Sends lines to a syslog server. Empty lines are left out, as the reference engine does. */
export class SyslogSink implements LogSink {
  private readonly connection: StreamConnection | DatagramConnection;
  private readonly options: SyslogOptions;

  constructor(connection: StreamConnection | DatagramConnection, options: SyslogOptions) {
    this.connection = connection;
    this.options = options;
  }

  async send(entries: readonly LogEntry[], signal: AbortSignal): Promise<void> {
    const messages = entries
      .filter(({ line }) => line.length > 0)
      .map((entry) => syslogMessage(this.options, entry));
    if (messages.length === 0) return;
    if ('write' in this.connection) return this.connection.write(Buffer.concat(messages), signal);
    for (const message of messages) await this.connection.send(message, signal);
  }

  close(): void {
    this.connection.drop();
  }
}
