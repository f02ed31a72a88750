import { writeSync } from 'node:fs';
import type { LogFields, Logger } from './log.ts';

/** The least that a log takes. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const ORDER: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A logger of one JSON object a line on a file descriptor. Its level can be changed while it runs. */
export class JsonLog implements Logger {
  private level: LogLevel;
  private readonly fd: number;

  constructor(level: LogLevel, fd: number) {
    this.level = level;
    this.fd = fd;
  }

  setLevel(level: LogLevel): void {
    this.level = level;
  }

  debug(message: string, fields?: LogFields): void {
    this.write('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.write('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.write('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.write('error', message, fields);
  }

  private write(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (ORDER[level] < ORDER[this.level]) return;
    const line = { time: new Date().toISOString(), level, msg: message, ...plain(fields) };
    try {
      writeSync(this.fd, `${JSON.stringify(line)}\n`);
    } catch {
      // A full or closed log must never stop the program.
    }
  }
}

/** Errors by message, cause and (for faults of ours) stack; everything else as JSON has it. */
function plain(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      if (typeof value === 'bigint') return [key, String(value)];
      if (!(value instanceof Error)) return [key, value];
      const cause = value.cause instanceof Error ? value.cause.message : undefined;
      const known = 'kind' in value && value.kind !== 'internal';
      return [
        key,
        { message: value.message, ...(cause ? { cause } : {}), ...(known ? {} : { stack: value.stack }) },
      ];
    }),
  );
}
