import type { Logger } from '../../base/index.ts';

/** How long after a start, and after a removal, the next one is made: neither may wait for it. In milliseconds. */
const AFTER_TAKE = 100;
const AFTER_IDLE = 10;

/**
 * Things kept ready because making them takes long, made one at a time between other work. `target` 0 keeps none.
 * Items that nobody took are given to `drop` at the end.
 */
export class ReadySandboxes<T> {
  private readonly items: T[] = [];
  private readonly target: number;
  private readonly make: () => T;
  private readonly drop: (item: T) => void;
  private readonly log: Logger;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(options: { target: number; make: () => T; drop: (item: T) => void; log: Logger }) {
    this.target = options.target;
    this.make = options.make;
    this.drop = options.drop;
    this.log = options.log;
  }

  /** The oldest ready item, or one made now. */
  take(): T {
    const item = this.items.shift() ?? this.make();
    this.refillAfter(AFTER_TAKE);
    return item;
  }

  /** Takes back an item that was not used. */
  putBack(item: T): void {
    if (this.closed) this.drop(item);
    else this.items.unshift(item);
  }

  /** There is idle time: make what is missing soon. */
  refillSoon(): void {
    this.refillAfter(AFTER_IDLE);
  }

  /** What is ready now. */
  ready(): readonly T[] {
    return this.items;
  }

  /** Drops what is ready, for it is not as it should be any more; new ones are made. */
  flush(): void {
    for (const item of this.items.splice(0)) this.drop(item);
    this.refillSoon();
  }

  /** Drops everything; nothing is made any more. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.flush();
  }

  private refillAfter(ms: number): void {
    if (this.closed || this.timer || this.items.length >= this.target) return;
    this.timer = setTimeout(() => this.refillOne(), ms);
    this.timer.unref();
  }

  private refillOne(): void {
    this.timer = undefined;
    if (this.closed || this.items.length >= this.target) return;
    try {
      this.items.push(this.make());
    } catch (thrown) {
      // The next start makes its own, and gets the error if it lasts.
      this.log.warn('a sandbox could not be made ahead', { error: thrown });
      return;
    }
    this.refillAfter(AFTER_IDLE);
  }
}
