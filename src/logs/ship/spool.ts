import { closeSync, fstatSync, read, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { FileChain, identityOf, isMissing, type OpenLogFile, unpackFile } from '../files.ts';

const NEWLINE = 10;
const readAsync = promisify(read);
/** How much is read at a time. Larger than any record (conmon writes pieces of at most 8 KiB). */
const BLOCK = 128 * 1024;

/** Whole lines of a spool, and where they stand. */
export interface SpoolBlock {
  /** Used again for the next block. */
  buffer: Buffer;
  length: number;
  identity: string;
  /** Of the first byte, in its file. */
  offset: number;
}

/** Where reading goes on. */
export interface SpoolPlace {
  identity: string;
  offset: number;
}

/**
 * A log's files as the shipper reads them: one is held open at a time, the next is looked for when it is read to its
 * end, so that a shipper that is far behind holds no more of the disk than the names do.
 */
export class Spool implements Disposable {
  private readonly logPath: string;
  private readonly buffer = Buffer.allocUnsafe(BLOCK);
  /** Files that are behind the position, or were given up: nobody needs them for shipping. */
  private readonly done = new Set<string>();
  private file: OpenLogFile | undefined;
  private offset = 0;

  constructor(logPath: string, start: SpoolPlace | undefined) {
    this.logPath = logPath;
    this.seek(start);
  }

  /** Goes to a place; to the oldest line there is when its file is gone. */
  private seek(start: SpoolPlace | undefined): void {
    using chain = new FileChain(this.logPath);
    const at = chain.pending.findIndex(({ identity }) => identity === start?.identity);
    if (at > 0) {
      for (const { identity } of chain.pending.slice(0, at)) this.done.add(identity);
      chain.skip(at);
    }
    this.file = chain.take();
    this.offset = at >= 0 ? (start?.offset ?? 0) : 0;
  }

  /** Where the next block begins; undefined while there is no file at all. */
  get place(): SpoolPlace | undefined {
    return this.file && { identity: this.file.identity, offset: this.offset };
  }

  /** Whether somebody has still to read a file. */
  needs(identity: string): boolean {
    return !this.done.has(identity);
  }

  /** Says that a file is about to go although it is needed; `from` is where the unread part begins. */
  giveUp(identity: string): { from: number } {
    const from = this.file?.identity === identity ? this.offset : 0;
    this.done.add(identity);
    return { from };
  }

  /** The next whole lines; undefined when there are none now. */
  async next(): Promise<SpoolBlock | undefined> {
    for (;;) {
      const file = this.current();
      if (!file) return undefined;
      await unpackFile(file, this.logPath);
      const { bytesRead } = await readAsync(file.fd, this.buffer, 0, BLOCK, this.offset);
      const length = this.buffer.lastIndexOf(NEWLINE, bytesRead - 1) + 1;
      if (bytesRead > 0 && length > 0) {
        return { buffer: this.buffer, length, identity: file.identity, offset: this.offset };
      }
      // A block without a line's end is none of conmon's; a torn end of a file that was left is nothing any more.
      if (bytesRead === BLOCK) this.offset += BLOCK;
      else if (!this.isLeft(file)) return undefined;
      else if (fstatSync(file.fd).size <= this.offset + bytesRead) this.leave(file);
    }
  }

  /** Says how much of the last block was dealt with. */
  advance(bytes: number): void {
    this.offset += bytes;
  }

  private current(): OpenLogFile | undefined {
    if (this.file && this.done.has(this.file.identity)) this.leave(this.file);
    if (!this.file) this.seek(undefined);
    return this.file;
  }

  /** The monitor has gone on to another file, or this one is no longer by any name of the log. */
  private isLeft(file: OpenLogFile): boolean {
    try {
      return identityOf(statSync(this.logPath, { bigint: true })) !== file.identity;
    } catch (thrown) {
      if (isMissing(thrown)) return false;
      throw thrown;
    }
  }

  private leave(file: OpenLogFile): void {
    this.done.add(file.identity);
    closeSync(file.fd);
    this.file = undefined;
    this.offset = 0;
    using chain = new FileChain(this.logPath);
    const at = chain.pending.findIndex(({ identity }) => !this.done.has(identity));
    if (at < 0) return;
    chain.skip(at);
    this.file = chain.take();
  }

  /** Bytes that are waiting in all files. */
  backlog(): number {
    using chain = new FileChain(this.logPath);
    let bytes = 0;
    for (const { fd, identity } of chain.pending) {
      if (this.done.has(identity)) continue;
      bytes += fstatSync(fd).size - (identity === this.file?.identity ? this.offset : 0);
    }
    return Math.max(0, bytes);
  }

  [Symbol.dispose](): void {
    if (this.file) closeSync(this.file.fd);
    this.file = undefined;
  }
}
