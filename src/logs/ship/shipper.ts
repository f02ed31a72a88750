import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, WharfError } from '../../base/index.ts';
import type { LogSink } from '../sinks/types.ts';
import type { RotationHold } from '../types.ts';
import { Assembler } from './assemble.ts';
import { countRecords, newlines } from './count.ts';
import { PositionFile } from './position.ts';
import type { Retry } from './retry.ts';
import { Spool, type SpoolBlock } from './spool.ts';

const NEWLINE = 10;
/** One batch is what one acknowledgement covers; what is sent twice after a crash is never more. */
const BATCH = 64 * 1024;
/** Wait of the next look when nothing can be read just now although there should be something. Milliseconds. */
const TROUBLED = 1_000;
/** How long a server may take for a batch before it is told; in non-blocking mode it is then left. Milliseconds. */
const HANGING = 5_000;

type Entries = Parameters<LogSink['send']>[0];

/** What a shipper ships. */
export interface Shipment {
  container: string;
  name: string;
  driver: string;
  logPath: string;
  sink: LogSink;
  /** Bytes that may wait before the oldest are dropped; undefined in blocking mode, where none are. */
  buffer: number | undefined;
  retry: Retry;
  /** Milliseconds; `HANGING` without it. */
  hanging?: number;
  /** How many rotated files are kept for a server that takes nothing. */
  mostFiles: number;
  log: Logger;
}

/** How a container's lines fare. */
export interface ShipReport {
  container: string;
  name: string;
  driver: string;
  /** Lines and bytes that no server will get. */
  lostRecords: number;
  lostBytes: number;
  /** Why nothing can be sent at the moment. */
  trouble: string | undefined;
}

/** Sends what is in one container's spool to its log server, in order, from where an earlier one stopped. */
export class Shipper {
  readonly hold: RotationHold;
  readonly done: Promise<void>;
  /** Everything was sent, or it was closed. */
  isDone = false;
  private readonly on: Shipment;
  private readonly position: PositionFile;
  private readonly spool: Spool;
  private readonly assembler = new Assembler();
  private readonly closing = new AbortController();
  private readonly watcher: FSWatcher;
  private fresh = true;
  private wake: (() => void) | undefined;
  /** No more will be written: what is there is the rest. */
  private over = false;
  private lost = { records: 0, bytes: 0 };
  private told = 0;
  private trouble: string | undefined;

  /** Starts at once. Errors: when the spool's folder is gone. */
  constructor(on: Shipment) {
    this.on = on;
    this.position = new PositionFile(on.logPath);
    const saved = this.position.read();
    if (saved) this.lost = { records: saved.lostRecords, bytes: saved.lostBytes };
    this.told = this.lost.records;
    this.spool = new Spool(on.logPath, saved);
    const name = basename(on.logPath);
    this.watcher = watch(dirname(on.logPath), { persistent: false }, (_type, entry) => {
      if (entry === name) this.poke();
    });
    this.watcher.on('error', () => this.poke());
    this.hold = {
      needs: (identity) => this.spool.needs(identity),
      mostFiles: on.buffer === undefined ? on.mostFiles : 0,
      giveUp: (identity) => this.giveUp(identity),
    };
    this.done = this.run();
  }

  get report(): ShipReport {
    const { container, name, driver } = this.on;
    const { lost, trouble } = this;
    return { container, name, driver, lostRecords: lost.records, lostBytes: lost.bytes, trouble };
  }

  /** The container has ended: the rest is sent, and then the work is done. */
  finish(): void {
    this.over = true;
    this.poke();
  }

  /** Another run of the container goes on in the same spool. */
  goOn(): void {
    this.over = false;
  }

  /** Ends at once; the position stays. Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.closing.abort(new WharfError('cancelled', 'the log is no longer shipped'));
    this.poke();
    await this.done;
  }

  /** Bytes that have not been sent yet. Only while it works. */
  backlog(): number {
    return this.spool.backlog();
  }

  private poke(): void {
    this.fresh = true;
    this.wake?.();
  }

  private async run(): Promise<void> {
    const { signal } = this.closing;
    try {
      while (!signal.aborted) {
        const final = this.over;
        const block = await this.nextBlock();
        if (block) await this.ship(block);
        else if (final && this.over) break;
        else if (!final) await this.change();
      }
    } catch (thrown) {
      if (!signal.aborted)
        this.on.log.error('a log is not shipped any more', { ...this.names, error: thrown });
    } finally {
      this.isDone = true;
      this.watcher.close();
      this.on.sink.close();
      this.spool[Symbol.dispose]();
      this.position[Symbol.dispose]();
    }
  }

  private get names() {
    return { container: this.on.container, driver: this.on.driver };
  }

  private async nextBlock(): Promise<SpoolBlock | undefined> {
    for (;;) {
      try {
        return await this.spool.next();
      } catch (thrown) {
        this.fail(thrown);
        await sleep(TROUBLED, undefined, { signal: this.closing.signal, ref: false });
      }
    }
  }

  private async change(): Promise<void> {
    if (!this.fresh && !this.over && !this.closing.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    this.fresh = false;
    this.wake = undefined;
  }

  private async ship(block: SpoolBlock): Promise<void> {
    if (this.dropsOld(block)) return;
    const length = batchLength(block);
    const batch = block.buffer.subarray(0, length);
    const entries = this.assembler.take(batch, block.offset);
    const outcome = await this.deliver(entries, block.identity);
    if (outcome === 'overtaken') return;
    if (outcome === 'given up') this.lose(newlines(batch), length);
    this.spool.advance(length);
    this.save(block.identity, block.offset + length);
  }

  /** Sends until the server has it. `overtaken`: dropped, or given up with its file, by somebody else. */
  private async deliver(entries: Entries, identity: string): Promise<'sent' | 'given up' | 'overtaken'> {
    const { signal } = this.closing;
    const { first, longest, most } = this.on.retry;
    let wait = first;
    for (let attempt = 1; this.spool.needs(identity); attempt++) {
      try {
        await send(this.on, entries, signal, (hangs) => this.fail(hangs));
        this.succeed();
        return 'sent';
      } catch (thrown) {
        signal.throwIfAborted();
        this.fail(thrown);
        if (this.surplus() > 0) return 'overtaken';
        if (attempt >= most) return 'given up';
        await sleep(wait, undefined, { signal, ref: false });
        wait = Math.min(longest, wait * 2);
      }
    }
    return 'overtaken';
  }

  private fail(thrown: unknown): void {
    const { message } = WharfError.from(thrown);
    if (!this.trouble) this.on.log.warn('the log server takes nothing', { ...this.names, error: message });
    this.trouble = message;
  }

  private succeed(): void {
    if (!this.trouble) return;
    this.trouble = undefined;
    this.on.log.info('the log server takes lines again', { ...this.names, lostRecords: this.lost.records });
  }

  /** Bytes that are more than may wait; none in blocking mode. */
  private surplus(): number {
    return this.on.buffer === undefined ? 0 : Math.max(0, this.spool.backlog() - this.on.buffer);
  }

  /** In non-blocking mode, what is more than may wait is passed over, the oldest first, and counted. */
  private dropsOld({ buffer, length, identity, offset }: SpoolBlock): boolean {
    const surplus = this.trouble ? this.surplus() : 0;
    if (surplus === 0) return false;
    const dropped = surplus >= length ? length : buffer.indexOf(NEWLINE, surplus - 1) + 1;
    this.lose(newlines(buffer.subarray(0, dropped)), dropped);
    this.spool.advance(dropped);
    this.save(identity, offset + dropped);
    return true;
  }

  private async giveUp(identity: string): Promise<void> {
    const { from } = this.spool.giveUp(identity);
    const { records, bytes } = await countRecords(this.on.logPath, identity, from);
    this.lose(records, bytes);
    this.on.log.warn('lines that no log server took are gone', {
      ...this.names,
      lostRecords: this.lost.records,
    });
    const saved = this.position.read();
    if (saved) this.save(saved.identity, saved.offset);
  }

  private lose(records: number, bytes: number): void {
    this.lost.records += records;
    this.lost.bytes += bytes;
    // Each doubling is told: often enough to be seen, and never a flood.
    if (this.lost.records < this.told * 2) return;
    this.told = Math.max(1, this.lost.records);
    this.on.log.warn('log lines were dropped', { ...this.names, lostRecords: this.lost.records });
  }

  private save(identity: string, offset: number): void {
    const { records, bytes } = this.lost;
    this.position.write({ identity, offset, lostRecords: records, lostBytes: bytes });
  }
}

/** A server that hangs is told of; it is left in non-blocking mode only. */
async function send(
  { sink, buffer, hanging = HANGING }: Shipment,
  entries: Entries,
  signal: AbortSignal,
  tell: (hangs: WharfError) => void,
): Promise<void> {
  // It may have been closed while the block was read; what is aborted already tells a listener nothing.
  signal.throwIfAborted();
  const leave = new AbortController();
  const timer = setTimeout(() => {
    const hangs = new WharfError('unavailable', `it has taken nothing for ${hanging / 1000} s`);
    if (buffer === undefined) tell(hangs);
    else leave.abort(hangs);
  }, hanging);
  try {
    await sink.send(entries, AbortSignal.any([signal, leave.signal]));
  } finally {
    clearTimeout(timer);
  }
}

/** Whole records of at most one batch. */
function batchLength({ buffer, length }: SpoolBlock): number {
  return length <= BATCH ? length : buffer.lastIndexOf(NEWLINE, BATCH - 1) + 1 || buffer.indexOf(NEWLINE) + 1;
}
