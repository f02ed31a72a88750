/**
 * Keeps content that is on its way in from being swept: sweeps wait until no work is held, and work that comes while one
 * runs waits for its end. A sweep that has to wait runs when the last holder has ended, for all who asked.
 */
export class SweepGate {
  private active = 0;
  private waiting: (() => Promise<void>) | undefined;
  private running: Promise<void> | undefined;

  /** Runs `work`, which brings in blobs or layers that no image names yet. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    while (this.running) await this.running;
    this.active++;
    try {
      return await work();
    } finally {
      this.active--;
      void this.runWaiting();
    }
  }

  /** Runs `sweep`, which must not fail, now if nothing is held; else returns at once, and it runs later. */
  async sweep(sweep: () => Promise<void>): Promise<void> {
    this.waiting = sweep;
    await this.runWaiting();
  }

  private async runWaiting(): Promise<void> {
    // One that runs may have passed by what this one is for.
    while (this.running) await this.running;
    const sweep = this.waiting;
    if (!sweep || this.active > 0) return;
    this.waiting = undefined;
    this.running = sweep().finally(() => {
      this.running = undefined;
    });
    await this.running;
  }
}
