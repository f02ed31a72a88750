import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { WharfError } from '../base/index.ts';
import { GrowingFileReader } from './growing-file.ts';
import { LayerUnpacker, type UnpackerOptions, type UnpackResult } from './layer-unpacker.ts';
import type { FromThread, ToThread, UnpackJob } from './unpack-threads.ts';

/** How much is read at a time, and inflated at a time. */
const READ_BYTES = 1 << 18;
const PIECE_BYTES = 1 << 18;
/** So many jobs with something to do take turns; a decompressor may need a window of 128 MiB, which those behind don't have yet. */
const AT_ONCE = 2;
/** Bytes of input between two reports of progress. */
const REPORT_BYTES = 1 << 20;

// All jobs of this thread take turns and keep nothing in these between them.
const input = Buffer.allocUnsafeSlow(READ_BYTES);
const output = Buffer.allocUnsafeSlow(PIECE_BYTES);

const jobs = new Map<number, Job>();
/** Those with something to do, the longest ready first. */
const ready = new Set<Job>();

class Job {
  readonly id: number;
  private readonly fd: number;
  private readonly file: GrowingFileReader;
  private readonly options: Omit<UnpackerOptions, 'output' | 'check'>;
  private unpacker: LayerUnpacker | undefined;
  private at = 0;
  private reported = 0;

  constructor(id: number, { fd, shared, ...options }: UnpackJob) {
    this.id = id;
    this.fd = fd;
    this.file = new GrowingFileReader(shared);
    this.options = options;
  }

  /** Does a piece of the work. The result when that was the last one, `wait` when there is nothing to read for now. */
  step(): UnpackResult | 'wait' | undefined {
    this.check();
    const { end, last } = this.file.available(this.at);
    if (end <= this.at && !last) return 'wait';
    this.unpacker ??= new LayerUnpacker({ ...this.options, output, check: () => this.check() });
    if (end <= this.at) return this.unpacker.finish();
    const got = readSync(this.fd, input, 0, Math.min(READ_BYTES, end - this.at), this.at);
    if (got === 0) throw new WharfError('corrupt', 'archive: its file is shorter than it was');
    this.at += got;
    this.unpacker.push(input.subarray(0, got));
    if (this.at - this.reported >= REPORT_BYTES) this.report();
    return undefined;
  }

  get stopped(): boolean {
    return this.file.stopped;
  }

  end(): void {
    this.unpacker?.[Symbol.dispose]();
  }

  private check(): void {
    if (this.file.stopped) throw new WharfError('cancelled', 'the unpacking was cancelled');
  }

  private report(): void {
    this.reported = this.at;
    tell({ id: this.id, read: this.at });
  }
}

function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}

/** One piece of the first jobs, then the messages, then the next turn. */
function turn(): void {
  for (const job of [...ready].slice(0, AT_ONCE)) work(job);
  if (ready.size > 0) setImmediate(turn);
}

function work(job: Job): void {
  try {
    const result = job.step();
    if (result === undefined) return;
    ready.delete(job);
    if (result !== 'wait') end(job, { id: job.id, result });
  } catch (thrown) {
    ready.delete(job);
    const { kind, message } = WharfError.from(thrown);
    end(job, { id: job.id, error: { kind, message } });
  }
}

function rouse(job: Job): void {
  if (ready.size === 0) setImmediate(turn);
  ready.add(job);
}

function end(job: Job, answer: FromThread): void {
  jobs.delete(job.id);
  job.end();
  tell(answer);
}

parentPort?.on('message', ({ id, job: begun }: ToThread) => {
  const job = jobs.get(id) ?? (begun && new Job(id, begun));
  // Woken after its end, which the other side doesn't know of yet.
  if (!job) return;
  jobs.set(id, job);
  // What nobody wants any more doesn't wait for its turn.
  if (job.stopped) work(job);
  else rouse(job);
});
