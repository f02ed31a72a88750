import { createReadStream, watch } from 'node:fs';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { parseTimestamp, splitRecord } from './record.ts';
import type { LogQuery, LogReader, LogRecord } from './types.ts';

const NEWLINE = 10;
const BLOCK = 1024 * 1024;

/** The log and its rotated files, oldest first. */
async function filesOf(logPath: string): Promise<string[]> {
  const name = basename(logPath);
  const entries = await readdir(dirname(logPath)).catch(() => []);
  const rotated = entries
    .filter((entry) => entry.startsWith(`${name}.`) && /^\d+$/.test(entry.slice(name.length + 1)))
    .sort((a, b) => Number(b.slice(name.length + 1)) - Number(a.slice(name.length + 1)));
  return [...rotated.map((entry) => `${dirname(logPath)}/${entry}`), logPath];
}

/** Offset in a file at which its last `count` complete lines begin; `found` is how many there are, up to `count`. */
async function tailOffset(path: string, count: number): Promise<{ offset: number; found: number }> {
  const handle = await open(path).catch(() => undefined);
  if (!handle) return { offset: 0, found: 0 };
  try {
    let position = (await handle.stat()).size;
    let found = -1;
    while (position > 0) {
      const size = Math.min(BLOCK, position);
      position -= size;
      const block = Buffer.alloc(size);
      await handle.read(block, 0, size, position);
      for (
        let at = block.lastIndexOf(NEWLINE);
        at >= 0;
        at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1)
      ) {
        // A piece of a long line (`P`) belongs to the line that its last piece ends.
        found += 1;
        if (found >= count) return { offset: position + at + 1, found: count };
      }
    }
    return { offset: 0, found: found + 1 };
  } finally {
    await handle.close();
  }
}

/** Records of one file from an offset; calls `advance` with the offset after each complete line. */
async function* readFrom(
  path: string,
  start: number,
  advance: (offset: number) => void,
): AsyncGenerator<LogRecord> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = start;
  const stream = createReadStream(path, { start, highWaterMark: BLOCK });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const block: Buffer = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let from = 0;
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, from)) {
      const record = splitRecord(block.subarray(from, end + 1));
      offset += end + 1 - from;
      from = end + 1;
      advance(offset);
      if (record) yield record;
    }
    rest = block.subarray(from);
  }
}

/** Resolves at the next change of the log's directory, when the container has ended, or when the signal fires. */
class Changes implements Disposable {
  private pending = false;
  private wake: (() => void) | undefined;
  private readonly watcher: ReturnType<typeof watch>;
  constructor(directory: string) {
    this.watcher = watch(directory, () => this.poke());
  }
  poke(): void {
    this.pending = true;
    this.wake?.();
  }
  async next(): Promise<void> {
    if (!this.pending)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    this.pending = false;
    this.wake = undefined;
  }
  [Symbol.dispose](): void {
    this.watcher.close();
  }
}

async function startOf(
  files: string[],
  tail: number | undefined,
): Promise<{ index: number; offset: number }> {
  if (tail === undefined) return { index: 0, offset: 0 };
  let wanted = tail;
  for (let index = files.length - 1; index >= 0; index--) {
    const { offset, found } = await tailOffset(files[index] as string, wanted);
    wanted -= found;
    if (wanted <= 0 || index === 0) return { index, offset };
  }
  return { index: 0, offset: 0 };
}

function wantedRecord(record: LogRecord, query: LogQuery): 'yes' | 'no' | 'end' {
  if (query.since !== undefined || query.until !== undefined) {
    const at = parseTimestamp(record.time);
    if (query.since !== undefined && at < query.since) return 'no';
    if (query.until !== undefined && at > query.until) return 'end';
  }
  return query[record.stream] ? 'yes' : 'no';
}

async function* records(logPath: string, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogRecord> {
  using changes = query.follow ? new Changes(dirname(logPath)) : undefined;
  let over = !query.follow;
  void query.follow?.ended.finally(() => {
    over = true;
    changes?.poke();
  });
  const onAbort = () => changes?.poke();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const files = await filesOf(logPath);
    const { index, offset } = await startOf(files, query.tail);
    let position = offset;
    let inode: bigint | undefined;
    for (const [at, file] of files.entries()) {
      if (at < index) continue;
      position = at === index ? offset : 0;
      const known = await stat(file, { bigint: true }).catch(() => undefined);
      inode = known?.ino;
      if (!known) continue;
      yield* filtered(
        readFrom(file, position, (now) => {
          position = now;
        }),
        query,
      );
    }
    while (!signal.aborted && changes) {
      const last = over;
      const now = await stat(logPath, { bigint: true }).catch(() => undefined);
      if (now && inode !== undefined && now.ino !== inode) {
        // Rotated while it was followed: the rest of the old file first.
        yield* filtered(
          readFrom(`${logPath}.1`, position, () => {}),
          query,
        );
        position = 0;
      }
      inode = now?.ino ?? inode;
      if (now && now.size > BigInt(position))
        yield* filtered(
          readFrom(logPath, position, (after) => {
            position = after;
          }),
          query,
        );
      if (last) return;
      await changes.next();
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function* filtered(source: AsyncIterable<LogRecord>, query: LogQuery): AsyncGenerator<LogRecord> {
  for await (const record of source) {
    const verdict = wantedRecord(record, query);
    if (verdict === 'end') return;
    if (verdict === 'yes') yield record;
  }
}

/** Opens the reader of the monitor's log files. */
export function openLogReader(): LogReader {
  return {
    read: records,
    async remove(logPath) {
      for (const file of await filesOf(logPath)) await rm(file, { force: true });
    },
  };
}
