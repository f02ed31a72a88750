import { closeSync, type FSWatcher, fstatSync, read, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { WharfError } from '../base/index.ts';
import { continuedStreams, type Stream } from './continued.ts';
import { FileChain, isMissing, type OpenLogFile, unpackFile } from './files.ts';
import { firstTime, sinceOffset } from './since.ts';
import { tailOffset } from './tail.ts';
import { mended } from './tear.ts';
import type { LogQuery } from './types.ts';

const NEWLINE = 10;
const readAsync = promisify(read);

/** How much is read at a time. Larger than any record (conmon writes pieces of at most 8 KiB). */
const BLOCK = 128 * 1024;

/** What one who reads too slowly may keep from being deleted: so many files, so many bytes. */
const MOST_HELD = 256;
const MOST_HELD_BYTES = 256 * 1024 * 1024;

/** Whole lines: bytes `0` to `length` of a buffer that is used again for the next block. */
export interface LogBlock {
  buffer: Buffer;
  length: number;
  /** Streams whose first records here are the rest of a line that is gone with the file before. */
  rests?: readonly Stream[];
}

/**
 * The lines of a log, block by block, oldest first, across rotated files; with `follow` also what is written
 * meanwhile. Ends when the signal fires.
 */
export async function* logBlocks(
  logPath: string,
  query: Pick<LogQuery, 'tail' | 'since' | 'follow'>,
  signal: AbortSignal,
): AsyncGenerator<LogBlock> {
  using chain = new FileChain(logPath);
  using changes = new Changes(logPath, chain, query.follow?.ended, signal);
  const oldest = chain.pending[0];
  let rests = oldest ? continuedStreams(oldest.fd) : [];
  let start = await seek(chain, logPath, query);
  const buffer = Buffer.allocUnsafe(BLOCK);
  while (!signal.aborted) {
    const file = chain.take();
    if (!file) {
      if (!(await changes.nextFile())) return;
      continue;
    }
    try {
      await unpackFile(file, logPath);
      for await (const block of fileBlocks(file, start, buffer, changes)) {
        yield rests.length > 0 && file === oldest && start === 0 ? { ...block, rests } : block;
        rests = [];
      }
    } finally {
      closeSync(file.fd);
    }
    start = 0;
  }
}

/** Skips what comes before the last `tail` lines, and most of what is older than `since`. */
async function seek(
  chain: FileChain,
  logPath: string,
  { tail, since }: Pick<LogQuery, 'tail' | 'since'>,
): Promise<number> {
  const start = await seekTail(chain, logPath, tail);
  if (since === undefined) return start;
  const files = chain.pending;
  let at = files.length - 1;
  for (; at > 0; at--) {
    const file = files[at] as OpenLogFile;
    await unpackFile(file, logPath);
    if (((await firstTime(file.fd)) ?? since) < since) break;
  }
  const file = files[Math.max(0, at)];
  if (!file) return start;
  if (at > 0) chain.skip(at);
  await unpackFile(file, logPath);
  const offset = await sinceOffset(file.fd, since);
  return at > 0 ? offset : Math.max(start, offset);
}

/** Skips the files and finds the offset before the last `tail` lines. */
async function seekTail(chain: FileChain, logPath: string, tail: number | undefined): Promise<number> {
  if (tail === undefined) return 0;
  const search = { wanted: tail, begun: false };
  const files = chain.pending;
  for (let at = files.length - 1; at >= 0; at--) {
    const file = files[at] as OpenLogFile;
    await unpackFile(file, logPath);
    const { offset, done } = await tailOffset(file.fd, search);
    if (!done) continue;
    chain.skip(at);
    return offset;
  }
  return 0;
}

async function* fileBlocks(
  file: OpenLogFile,
  start: number,
  buffer: Buffer,
  changes: Changes,
): AsyncGenerator<LogBlock> {
  let position = start;
  let held = 0;
  for (;;) {
    const { bytesRead } = await readAsync(file.fd, buffer, held, buffer.length - held, position);
    if (changes.aborted) return;
    if (bytesRead === 0) {
      if (!(await changes.more(file, position))) return;
      continue;
    }
    position += bytesRead;
    const filled = held + bytesRead;
    const length = buffer.lastIndexOf(NEWLINE, filled - 1) + 1;
    if (length > 0) {
      for (const lines of mended(buffer, length, position - filled)) {
        yield { buffer: lines, length: lines.length };
        if (changes.aborted) return;
      }
      buffer.copyWithin(0, length, filled);
    }
    held = filled - length;
    // A line that fills a block is none of conmon's; nothing can be made of it.
    if (held === buffer.length) held = 0;
  }
}

/** What a follower waits for. Without `ended`, there is nothing to wait for. */
class Changes implements Disposable {
  aborted: boolean;
  private over: boolean;
  private fresh = true;
  private wake: (() => void) | undefined;
  private watcher: FSWatcher | undefined;
  /** What went wrong in an event, for the reader's next step to throw: an event has nobody who would catch it. */
  private failure: { thrown: unknown } | undefined;
  private readonly logPath: string;
  private readonly chain: FileChain;
  private readonly signal: AbortSignal;

  constructor(logPath: string, chain: FileChain, ended: Promise<unknown> | undefined, signal: AbortSignal) {
    this.logPath = logPath;
    this.chain = chain;
    this.signal = signal;
    this.aborted = signal.aborted;
    this.over = ended === undefined;
    if (ended) this.watch(ended);
    signal.addEventListener('abort', this.onAbort, { once: true });
  }

  private watch(ended: Promise<unknown>): void {
    this.watcher = watch(dirname(this.logPath), (event) => this.onChange(event));
    this.watcher.on('error', (thrown) => this.fail(thrown));
    // What appeared between the chain's first look and the watch.
    this.onChange('rename');
    const finish = () => {
      this.over = true;
      this.poke();
    };
    ended.then(finish, finish);
  }

  private readonly onAbort = (): void => {
    this.aborted = true;
    this.poke();
  };

  /** New names are opened at once, whatever the reader is doing: they may be gone when it comes to them. */
  private onChange(event: string): void {
    try {
      if (event === 'rename') this.chain.refresh();
      this.checkHeld();
      this.poke();
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  /** A reader who takes nothing, and whose log is rotated, would fill the disk with files that nobody sees. */
  private checkHeld(): void {
    const { nameless } = this.chain;
    if (nameless.files <= MOST_HELD && nameless.bytes <= MOST_HELD_BYTES) return;
    this.watcher?.close();
    this.chain.skip(this.chain.pending.length);
    throw new WharfError('exhausted', 'the log was rotated away: it was followed too slowly');
  }

  private fail(thrown: unknown): void {
    this.failure ??= { thrown };
    this.poke();
  }

  private throwIfFailed(): void {
    if (this.failure) throw this.failure.thrown;
  }

  private poke(): void {
    this.fresh = true;
    this.wake?.();
  }

  private async change(): Promise<void> {
    if (!this.fresh) await new Promise<void>((resolve) => (this.wake = resolve));
    this.fresh = false;
    this.wake = undefined;
  }

  /** True when the file may hold more than `position`; false when it never will. Waits for one of the two. */
  async more(file: OpenLogFile, position: number): Promise<boolean> {
    while (!this.aborted) {
      this.throwIfFailed();
      // A newer file that waits tells it, too: the log's own name may be gone for good.
      const final = this.over || this.chain.pending.length > 0 || this.isReplaced(file);
      // After the look at the names, so that nothing can be written between the two.
      if (fstatSync(file.fd).size > position) return true;
      if (final) return false;
      await this.change();
    }
    return false;
  }

  /** The monitor has gone on to another file: it closes the old one before the new one gets its name. */
  private isReplaced(file: OpenLogFile): boolean {
    try {
      return statSync(this.logPath, { bigint: true }).ino !== file.inode;
    } catch (thrown) {
      if (isMissing(thrown)) return false;
      throw thrown;
    }
  }

  /** True when a file may have appeared in the chain; false when none will. Waits for one of the two. */
  async nextFile(): Promise<boolean> {
    if (this.aborted || (this.over && !this.watcher)) return false;
    this.throwIfFailed();
    const final = this.over;
    this.chain.refresh();
    if (this.chain.pending.length > 0) return true;
    if (final) return false;
    await this.change();
    return true;
  }

  [Symbol.dispose](): void {
    this.watcher?.close();
    this.signal.removeEventListener('abort', this.onAbort);
  }
}
