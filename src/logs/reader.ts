import type { LogReader } from './types.ts';
/** Opens the reader of the monitor's log files. */
export function openLogReader(): LogReader {
  throw new Error('openLogReader');
}
