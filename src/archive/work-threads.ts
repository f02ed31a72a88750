import { availableParallelism } from 'node:os';
import { type ErrorKind, WharfError } from '../base/index.ts';
import { BackgroundThread } from '../sys/index.ts';
import type { CopyEnd, CopyRequest, CopyStep } from './copy-job.ts';
import type { ExtractRequest } from './extract-job.ts';
import type { PackRequest } from './pack-job.ts';

const MOST_THREADS = 2;

/** What a thread is asked to do. */
export type WorkRequest = { pack: PackRequest } | { extract: ExtractRequest } | { copy: CopyRequest };

/** To a thread, of a task: begin it, give so many pieces more, take this piece, no more comes, let go of it. */
export type ToWorker = { id: number } & (
  | { request: WorkRequest }
  | { want: number }
  | { piece: Uint8Array<ArrayBuffer> }
  | { end: true }
  | { stop: true }
);

/** What a task failed with; of a copy also where. */
export interface WorkError {
  kind: ErrorKind;
  message: string;
  code: string | undefined;
  end: CopyEnd | undefined;
}

/**
 * From a thread: a piece of a tar, or the buffer of one that was taken; how far a copy is; the end of the task, after which
 * it holds nothing.
 */
export type FromWorker = { id: number } & (
  | { piece: Uint8Array<ArrayBuffer> }
  | { bytes: number }
  | { done: true; error?: WorkError }
);

/** A task in a thread. */
export class Work {
  private readonly post: (message: ToWorker, transfer?: ArrayBuffer[]) => void;
  private readonly id: number;
  private readonly pieces: Uint8Array<ArrayBuffer>[] = [];
  private bytes = 0;
  private toldBytes = 0;
  private failedEnd: CopyEnd | undefined;
  private wake: (() => void) | undefined;
  private stopping = false;
  private over: { reason?: unknown } | undefined;
  private readonly ended = Promise.withResolvers<void>();

  constructor(id: number, post: (message: ToWorker, transfer?: ArrayBuffer[]) => void) {
    this.id = id;
    this.post = post;
  }

  /** Asks for so many pieces. */
  want(count: number): void {
    if (!this.over) this.post({ id: this.id, want: count });
  }

  /** Gives a piece away. */
  give(piece: Uint8Array<ArrayBuffer>): void {
    if (!this.over) this.post({ id: this.id, piece }, [piece.buffer]);
  }

  /** Says that all is given. */
  finish(): void {
    if (!this.over) this.post({ id: this.id, end: true });
  }

  /** The next piece from the thread, or undefined once the task ended. Errors: what the task failed with. */
  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      const piece = this.pieces.shift();
      if (piece) return piece;
      if (this.over?.reason !== undefined) throw this.over.reason;
      if (this.over) return undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** Of a copy: how far it is, once that is more than was told before; undefined once the task ended. */
  async progress(): Promise<number | undefined> {
    while (!this.over && this.bytes === this.toldBytes)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    this.toldBytes = this.bytes;
    return this.over ? undefined : this.bytes;
  }

  /** Of a copy that ended: all of it, or what it failed with at one of its ends. Errors: any other failure. */
  get copied(): CopyStep {
    const { bytes, failedEnd: end, over } = this;
    if (over?.reason === undefined) return { bytes };
    if (end === undefined) throw over.reason;
    return { bytes, fault: { end, reason: WharfError.from(over.reason) } };
  }

  /** Waits for something else, and fails as soon as the task ends. */
  during<T>(other: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.wake = () => {
        if (this.over) reject(this.over.reason ?? new WharfError('cancelled', 'the task was stopped'));
      };
      this.wake();
      other.then(resolve, reject);
    });
  }

  /** Ends the task if it still runs; settles when the thread has let go of all it held, and never rejects. */
  stop(): Promise<void> {
    if (!this.over && !this.stopping) this.post({ id: this.id, stop: true });
    this.stopping = true;
    return this.ended.promise;
  }

  /** For the thread's side. */
  take(message: FromWorker): void {
    if ('piece' in message) this.pieces.push(message.piece);
    else if ('bytes' in message) this.bytes = message.bytes;
    else {
      this.failedEnd = message.error?.end;
      this.end(message.error && errorOf(message.error));
    }
    this.wake?.();
  }

  /** For the thread's side: the task is over. */
  end(reason?: unknown): void {
    this.over ??= { reason };
    this.ended.resolve();
    this.wake?.();
  }
}

function errorOf({ kind, message, code }: WorkError) {
  const cause = code === undefined ? undefined : Object.assign(new Error(message), { code });
  return new WharfError(kind, message, { cause });
}

class WorkThread {
  readonly tasks = new Map<number, Work>();
  private readonly thread: BackgroundThread<ToWorker, FromWorker>;

  constructor(gone: () => void) {
    this.thread = new BackgroundThread(new URL('./work-thread-main.ts', import.meta.url), {
      message: (message) => this.take(message),
      end: (reason) => {
        gone();
        for (const task of this.tasks.values()) task.end(WharfError.from(reason));
        this.tasks.clear();
      },
    });
  }

  begin(id: number, request: WorkRequest): Work {
    this.thread.work();
    const work = new Work(id, (message, transfer) => this.thread.post(message, transfer));
    this.tasks.set(id, work);
    this.thread.post({ id, request });
    return work;
  }

  private take(message: FromWorker): void {
    this.tasks.get(message.id)?.take(message);
    if (!('done' in message)) return;
    this.tasks.delete(message.id);
    if (this.tasks.size === 0) this.thread.rest();
  }
}

const threads: WorkThread[] = [];
let count = 0;

/** Begins a task in a thread: one that is idle, a new one, or that with the fewest tasks, which take turns there. */
export function beginWork(request: WorkRequest): Work {
  count += 1;
  return choose().begin(count, request);
}

function choose(): WorkThread {
  const idle = threads.find((thread) => thread.tasks.size === 0);
  if (idle) return idle;
  if (threads.length < Math.min(MOST_THREADS, availableParallelism())) {
    const added = new WorkThread(() => threads.splice(threads.indexOf(added), 1));
    threads.push(added);
    return added;
  }
  return threads.reduce((best, thread) => (thread.tasks.size < best.tasks.size ? thread : best));
}
