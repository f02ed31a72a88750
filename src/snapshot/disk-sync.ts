import { Worker } from 'node:worker_threads';
import { WharfError } from '../base/index.ts';

/** How long an idle thread waits for more before it ends, in milliseconds. */
const IDLE = 5000;

/**
 * Calls syncfs(2) in a thread of its own: it may take seconds where much is dirty. The thread starts with the first call
 * and ends when it was idle for a while, so that the layers of one pull share it.
 */
export class DiskSync {
  private worker: Worker | undefined;
  private idle: NodeJS.Timeout | undefined;
  private readonly waiting = new Map<number, { resolve: () => void; reject: (reason: unknown) => void }>();
  private count = 0;

  /** Writes all of the filesystem that holds `path` to the disk. */
  async sync(path: string): Promise<void> {
    clearTimeout(this.idle);
    this.worker ??= this.start();
    const worker = this.worker;
    const id = this.count++;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.waiting.set(id, { resolve, reject });
    worker.ref();
    worker.postMessage({ id, path });
    try {
      await promise;
    } finally {
      if (this.waiting.size === 0 && this.worker === worker) this.rest(worker);
    }
  }

  private rest(worker: Worker): void {
    worker.unref();
    this.idle = setTimeout(() => {
      this.worker = undefined;
      void worker.terminate();
    }, IDLE).unref();
  }

  private start(): Worker {
    const worker = new Worker(new URL('./sync-worker.ts', import.meta.url), {
      // Descriptors come from system calls of our own, which Node's bookkeeping doesn't see; it would warn at every close.
      trackUnmanagedFds: false,
    });
    worker.on('message', ({ id, error }: { id: number; error?: string }) => {
      const waiting = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) waiting?.resolve();
      else waiting?.reject(new WharfError('internal', error));
    });
    worker.on('error', (thrown) => this.fail(worker, thrown));
    worker.on('exit', () => this.fail(worker, new Error('the thread ended')));
    return worker;
  }

  private fail(worker: Worker, thrown: unknown): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    for (const { reject } of this.waiting.values()) reject(WharfError.from(thrown));
    this.waiting.clear();
  }
}
