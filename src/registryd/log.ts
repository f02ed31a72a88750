import { writeSync } from 'node:fs';
import type { LogFields, Logger } from '../base/index.ts';

/** One JSON object a line on a descriptor; debug lines are left out unless asked for. */
export function jsonLog(fd: number, debug: boolean): Logger {
  const put = (level: string, message: string, fields: LogFields = {}) => {
    const line = { time: new Date().toISOString(), level, msg: message, ...plain(fields) };
    try {
      writeSync(fd, `${JSON.stringify(line)}\n`);
    } catch {
      // A full or closed log must not stop the registry.
    }
  };
  return {
    debug: (message, fields) => debug && put('debug', message, fields),
    info: (message, fields) => put('info', message, fields),
    warn: (message, fields) => put('warn', message, fields),
    error: (message, fields) => put('error', message, fields),
  };
}

/** Errors by message, and with the stack where the fault is ours. */
function plain(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      if (!(value instanceof Error)) return [key, typeof value === 'bigint' ? String(value) : value];
      const known = 'kind' in value && value.kind !== 'internal';
      return [key, known ? value.message : (value.stack ?? value.message)];
    }),
  );
}
