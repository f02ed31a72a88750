import { rm } from 'node:fs/promises';
import { logBlocks } from './blocks.ts';
import { LogEncoder, RecordFilter } from './encode.ts';
import { rotatedFiles } from './files.ts';
import { isRecord, recordAt } from './record.ts';
import { positionPath } from './ship/position.ts';
import type { LogFormat, LogQuery, LogReader, LogRecord } from './types.ts';

const NEWLINE = 10;

async function* records(logPath: string, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogRecord> {
  const filter = new RecordFilter(query);
  for await (const { buffer, length, rests = [] } of logBlocks(logPath, query, signal)) {
    filter.begin({ rests });
    // Records are views, and the block's memory is used again.
    const block = Buffer.from(buffer.subarray(0, length));
    for (let start = 0; start < length; ) {
      const newline = block.indexOf(NEWLINE, start);
      if (isRecord(block, start, newline)) {
        const verdict = filter.check(block, start);
        if (verdict === 'end') return;
        if (verdict === 'take') yield recordAt(block, start, newline);
      }
      start = newline + 1;
    }
  }
}

async function* encoded(
  logPath: string,
  query: LogQuery,
  format: LogFormat,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const encoder = new LogEncoder(query, format);
  for await (const block of logBlocks(logPath, query, signal)) {
    const bytes = encoder.encode(block);
    if (bytes.length > 0) yield bytes;
    if (encoder.ended) return;
  }
}

async function remove(logPath: string): Promise<void> {
  const rotated = rotatedFiles(logPath).map(({ path }) => path);
  // conmon gives a new file its name by renaming it (`.tmp`); a packed one is `.packing` until it is whole.
  for (const path of [logPath, `${logPath}.tmp`, `${logPath}.packing`, positionPath(logPath), ...rotated]) {
    await rm(path, { force: true });
  }
}

/** Opens the reader of the monitor's log files. */
export function openLogReader(): LogReader {
  return { read: records, encode: encoded, remove };
}
