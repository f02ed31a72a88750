import { syncfs } from '../sys/index.ts';

/**
 * Calls syncfs(2) for the filesystem of one folder, off the event loop: it may take seconds where much is dirty. Whoever
 * asks while one runs shares the next one with all others that do.
 */
export class DiskSync {
  private readonly folder: string;
  private running: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Resolves when all that was written before the call is on the disk. */
  sync(): Promise<void> {
    this.next ??= this.after(this.running);
    return this.next;
  }

  private async after(previous: Promise<void>): Promise<void> {
    // Its failure is told to those who asked for it.
    await previous.catch(() => undefined);
    this.running = syncfs(this.folder);
    this.next = undefined;
    return this.running;
  }
}
