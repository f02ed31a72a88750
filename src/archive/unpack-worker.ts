import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { WharfError } from '../base/index.ts';
import { GrowingFileReader } from './growing-file.ts';
import { LayerUnpacker, type UnpackResult } from './layer-unpacker.ts';
import type { FromThread, ToThread, UnpackJob } from './unpack-threads.ts';

/** How much is read at a time, and inflated at a time. */
const READ_BYTES = 1 << 18;
const PIECE_BYTES = 1 << 18;
/** Bytes of input between two reports of progress. */
const REPORT_BYTES = 1 << 20;

// All jobs of this thread take turns and keep nothing in these between them.
const input = Buffer.allocUnsafeSlow(READ_BYTES);
const output = Buffer.allocUnsafeSlow(PIECE_BYTES);

const jobs = new Map<number, Job>();
/** Those with something to do. */
const ready = new Set<Job>();

class Job {
  readonly id: number;
  private readonly fd: number;
  private readonly file: GrowingFileReader;
  private readonly unpacker: LayerUnpacker;
  private at = 0;
  private reported = 0;

  constructor(id: number, { fd, shared, ...options }: UnpackJob) {
    this.id = id;
    this.fd = fd;
    this.file = new GrowingFileReader(shared);
    this.unpacker = new LayerUnpacker({ ...options, output, check: () => this.check() });
  }

  /** Does a piece of the work. The result when that was the last one, `wait` when there is nothing to read for now. */
  step(): UnpackResult | 'wait' | undefined {
    this.check();
    const { end, last } = this.file.available(this.at);
    if (end <= this.at) return last ? this.unpacker.finish() : 'wait';
    const got = readSync(this.fd, input, 0, Math.min(READ_BYTES, end - this.at), this.at);
    if (got === 0) throw new WharfError('corrupt', 'archive: its file is shorter than it was');
    this.at += got;
    this.unpacker.push(input.subarray(0, got));
    if (this.at - this.reported >= REPORT_BYTES) this.report();
    return undefined;
  }

  end(): void {
    this.unpacker[Symbol.dispose]();
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

/** One piece of each job that has something to do, then the messages, then the next turn. */
function turn(): void {
  for (const job of ready) {
    try {
      const result = job.step();
      if (result === undefined) continue;
      ready.delete(job);
      if (result !== 'wait') finish(job, { id: job.id, result });
    } catch (thrown) {
      fail(job.id, thrown, job);
    }
  }
  if (ready.size > 0) setImmediate(turn);
}

function rouse(job: Job): void {
  if (ready.size === 0) setImmediate(turn);
  ready.add(job);
}

function finish(job: Job, answer: FromThread): void {
  jobs.delete(job.id);
  job.end();
  tell(answer);
}

function fail(id: number, thrown: unknown, job?: Job): void {
  const { kind, message } = WharfError.from(thrown);
  if (job) {
    ready.delete(job);
    jobs.delete(id);
    job.end();
  }
  tell({ id, error: { kind, message } });
}

parentPort?.on('message', ({ id, job: begun }: ToThread) => {
  const known = jobs.get(id);
  if (known) return rouse(known);
  // Woken after its end, which the other side doesn't know of yet.
  if (!begun) return;
  try {
    const job = new Job(id, begun);
    jobs.set(id, job);
    rouse(job);
  } catch (thrown) {
    fail(id, thrown);
  }
});
