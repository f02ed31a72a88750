import { Worker } from 'node:worker_threads';
import { WharfError } from '../../base/index.ts';

/** A thread that has nothing to do for so long ends, and gives its memory back. */
const IDLE_MS = 5_000;
/** Checks that may wait. At the usual cost the last of them has its answer within 15 s. */
const MAX_WAITING = 128;

/** What goes to the thread, and what comes back. */
export interface VerifyJob {
  id: number;
  password: string;
  hash: string;
}
export type VerifyAnswer = { id: number; right: boolean };

interface Waiting {
  resolve(right: boolean): void;
  reject(error: WharfError): void;
}

/**
 * Compares passwords with bcrypt hashes in a thread of its own, one after the other: a check takes some 60 ms of
 * computing, which no other request shall wait for. The thread starts with the first check and ends when idle.
 */
export class BcryptVerifier implements Disposable {
  private readonly waiting = new Map<number, Waiting>();
  private worker: Worker | undefined;
  private idle: NodeJS.Timeout | undefined;
  private next = 0;

  /** Errors: `rate-limited` when too many checks wait already; `internal` when the thread fails. */
  verify(password: string, hash: string): Promise<boolean> {
    if (this.waiting.size >= MAX_WAITING)
      return Promise.reject(new WharfError('rate-limited', 'too many logins at once; try again later'));
    clearTimeout(this.idle);
    this.worker ??= this.start();
    const job: VerifyJob = { id: this.next++, password, hash };
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.waiting.set(job.id, { resolve, reject });
    this.worker.ref();
    this.worker.postMessage(job);
    return promise;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.idle);
    this.fail(new WharfError('cancelled', 'the registry ends'));
  }

  private start(): Worker {
    const worker = new Worker(new URL('./htpasswd-worker.ts', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16, stackSizeMb: 1 },
    });
    worker.on('message', (answer: VerifyAnswer) => {
      this.waiting.get(answer.id)?.resolve(answer.right);
      this.waiting.delete(answer.id);
      if (this.waiting.size === 0) this.rest(worker);
    });
    const failed = (cause?: unknown) => {
      if (this.worker === worker)
        this.fail(new WharfError('internal', 'the thread that checks passwords ended', { cause }));
    };
    worker.on('error', failed);
    worker.on('exit', () => failed());
    return worker;
  }

  private rest(worker: Worker): void {
    worker.unref();
    this.idle = setTimeout(() => this.drop(), IDLE_MS);
    this.idle.unref();
  }

  private drop(): void {
    const { worker } = this;
    this.worker = undefined;
    void worker?.terminate();
  }

  private fail(error: WharfError): void {
    this.drop();
    for (const each of this.waiting.values()) each.reject(error);
    this.waiting.clear();
  }
}
