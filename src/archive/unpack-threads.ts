import { availableParallelism } from 'node:os';
import { type ErrorKind, WharfError } from '../base/index.ts';
import { BackgroundThread } from '../sys/index.ts';
import type { UnpackerOptions, UnpackResult } from './layer-unpacker.ts';

const MOST_THREADS = 2;

/** A job for a thread. The descriptor is the caller's, who keeps it open until the job ended. */
export interface UnpackJob extends Omit<UnpackerOptions, 'output' | 'check'> {
  fd: number;
  /** Of the `GrowingFile`. */
  shared: SharedArrayBuffer;
}

/** To a thread: begin this job, or, without one, look at that one again. */
export interface ToThread {
  id: number;
  job?: UnpackJob;
}
/** From a thread: how far a job read, or its end. */
export type FromThread = { id: number } & (
  | { read: number }
  | { result: UnpackResult }
  | { error: { kind: ErrorKind; message: string } }
);

/** What a job tells its caller. */
export interface UnpackWatcher {
  /** Bytes of the compressed file, or a guess, for sharing the work. */
  size: number;
  onProgress: ((read: number) => void) | undefined;
  /** Called once the job has its thread: what it gets makes the thread look at the job again. */
  onStart: (wake: () => void) => void;
}

interface Pending extends UnpackWatcher {
  read: number;
  resolve: (result: UnpackResult) => void;
  reject: (reason: unknown) => void;
}

/**
 * The threads that unpack: as many as there are cores, two at most, each for any number of jobs that take turns. A new job
 * goes where the least is left to do. A thread lives on for a while after its last job, so that the next pull finds it warm.
 */
class UnpackThreads {
  private readonly threads: UnpackThread[] = [];
  private count = 0;

  run(job: UnpackJob, watcher: UnpackWatcher): Promise<UnpackResult> {
    this.count += 1;
    return this.choose().run(this.count, job, watcher);
  }

  private choose(): UnpackThread {
    const free = this.threads.find((thread) => thread.idle);
    if (free) return free;
    if (this.threads.length < Math.min(MOST_THREADS, availableParallelism())) {
      const added = new UnpackThread(() => this.threads.splice(this.threads.indexOf(added), 1));
      this.threads.push(added);
      return added;
    }
    return this.threads.reduce((best, thread) => (thread.left < best.left ? thread : best));
  }
}

class UnpackThread {
  private readonly thread: BackgroundThread<ToThread, FromThread>;
  private readonly pending = new Map<number, Pending>();

  constructor(gone: () => void) {
    this.thread = new BackgroundThread(new URL('./unpack-worker.ts', import.meta.url), {
      message: (message) => this.take(message),
      end: (reason) => {
        gone();
        for (const { reject } of this.pending.values()) reject(WharfError.from(reason));
        this.pending.clear();
      },
    });
  }

  get idle(): boolean {
    return this.pending.size === 0;
  }

  /** Bytes that are still to be read. */
  get left(): number {
    let sum = 0;
    for (const { size, read } of this.pending.values()) sum += Math.max(size - read, 1);
    return sum;
  }

  run(id: number, job: UnpackJob, watcher: UnpackWatcher): Promise<UnpackResult> {
    this.thread.work();
    const { promise, resolve, reject } = Promise.withResolvers<UnpackResult>();
    this.pending.set(id, { ...watcher, read: 0, resolve, reject });
    this.thread.post({ id, job });
    watcher.onStart(() => this.thread.post({ id }));
    return promise;
  }

  private take(message: FromThread): void {
    const pending = this.pending.get(message.id);
    if (!pending) return;
    if ('read' in message) {
      pending.read = message.read;
      pending.onProgress?.(message.read);
      return;
    }
    this.pending.delete(message.id);
    if (this.idle) this.thread.rest();
    if ('result' in message) pending.resolve(message.result);
    else pending.reject(new WharfError(message.error.kind, message.error.message));
  }
}

let threads: UnpackThreads | undefined;

/** The threads of this process; they start with the first job. */
export function unpackThreads(): UnpackThreads {
  threads ??= new UnpackThreads();
  return threads;
}
