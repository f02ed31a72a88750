/**
 * Fires when nothing moved for a time. One timer a connection: a byte only notes the moment, so that touching it costs
 * nothing in the stream of chunks.
 */
export class StallTimer {
  onStall: () => void;
  private readonly ms: number;
  private since = 0;
  private waiting = true;
  private timer: NodeJS.Timeout | undefined;

  private readonly now: () => number;

  /** `ms` without a touch count as stalled; the time runs at once. `now` is monotonic. */
  constructor(ms: number, onStall: () => void, now: () => number = () => performance.now()) {
    this.ms = ms;
    this.onStall = onStall;
    this.now = now;
    this.since = now();
    this.arm(ms);
  }

  /** Something moved, or the wait for it begins now. */
  touch(): void {
    this.since = this.now();
    this.waiting = true;
  }

  /** Nobody waits for the other side now: a slow reader of ours is no stall of theirs. */
  pause(): void {
    this.waiting = false;
  }

  /** The end; it never fires again. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.waiting = false;
  }

  private arm(ms: number): void {
    this.timer = setTimeout(() => {
      const rest = this.waiting ? this.since + this.ms - this.now() : this.ms;
      if (rest > 0) return this.arm(Math.ceil(rest));
      this.stop();
      this.onStall();
    }, ms);
  }
}
