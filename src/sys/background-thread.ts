import { getCompileCacheDir } from 'node:module';
import { Worker } from 'node:worker_threads';
import { WharfError } from '../base/index.ts';

/** How long an idle thread waits for more before it ends, in milliseconds: a start takes tens of milliseconds. */
const IDLE = 20_000;

/** What a thread tells its owner. */
export interface ThreadEvents<From> {
  message: (message: From) => void;
  /** It is gone: with a reason, when it broke. Called once. */
  end: (reason: unknown) => void;
}

/** A worker thread that holds the process while it is busy, and ends a while after its last work. */
export class BackgroundThread<To, From> {
  private readonly worker: Worker;
  private readonly events: ThreadEvents<From>;
  private idle: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(module: URL, events: ThreadEvents<From>) {
    this.events = events;
    this.worker = new Worker(module, {
      // Descriptors come from system calls of our own, which Node's bookkeeping doesn't see; it would warn at every close.
      trackUnmanagedFds: false,
      // Threads have a compile cache of their own, which only their environment turns on.
      env: { NODE_COMPILE_CACHE: getCompileCacheDir() ?? '' },
    });
    this.worker.on('message', events.message);
    this.worker.on('error', (thrown) => this.end(thrown));
    this.worker.on('exit', () =>
      this.end(new WharfError('internal', 'a background thread ended without an answer')),
    );
  }

  post(message: To, transfer?: ArrayBuffer[]): void {
    this.worker.postMessage(message, transfer);
  }

  /** Says that it has work. */
  work(): void {
    clearTimeout(this.idle);
    this.worker.ref();
  }

  /** Says that it has none for now. */
  rest(): void {
    this.worker.unref();
    this.idle = setTimeout(() => {
      this.end(undefined);
      void this.worker.terminate();
    }, IDLE).unref();
  }

  private end(reason: unknown): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.idle);
    this.events.end(reason);
  }
}
