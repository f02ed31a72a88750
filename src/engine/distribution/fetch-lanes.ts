import { WharfError } from '../../base/index.ts';

/** Lets a bounded number of pieces of work run at once; others wait in order of arrival. */
export class Lanes {
  private readonly limit: () => number;
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  /** `limit` is asked anew at every start, since a reload of the configuration may change it. */
  constructor(limit: () => number) {
    this.limit = limit;
  }

  /** Runs `work` when a lane is free; `onWait` is called when it is not at once. Errors: `cancelled` while it waits. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal, onWait?: () => void): Promise<T> {
    if (this.running >= Math.max(1, this.limit())) {
      onWait?.();
      await this.turn(signal);
    } else {
      this.running++;
    }
    try {
      return await work();
    } finally {
      this.running--;
      this.startNext();
    }
  }

  private startNext(): void {
    while (this.running < Math.max(1, this.limit())) {
      const wake = this.waiting.shift();
      if (!wake) return;
      // Counted here, so that nobody who comes before it goes on takes its lane.
      this.running++;
      wake();
    }
  }

  private turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = () => {
        const at = this.waiting.indexOf(wake);
        if (at >= 0) this.waiting.splice(at, 1);
        reject(new WharfError('cancelled', 'the request was cancelled'));
      };
      if (signal?.aborted) return onAbort();
      this.waiting.push(wake);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
