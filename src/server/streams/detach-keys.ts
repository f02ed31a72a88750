/** Looks for the detach keys in a client's input, across chunk borders. Bytes that may begin the keys are held back. */
export class DetachScanner {
  private readonly keys: Buffer;
  private matched = 0;

  /** @param keys the whole sequence; empty for none. */
  constructor(keys: Buffer) {
    this.keys = keys;
  }

  /** What to pass on, and whether the keys were typed; bytes behind them are dropped. */
  feed(chunk: Buffer): { data: Buffer; detached: boolean } {
    const { keys } = this;
    const first = keys[0];
    if (first === undefined || (this.matched === 0 && !chunk.includes(first))) {
      return { data: chunk, detached: false };
    }
    const held = this.matched;
    const all = held === 0 ? chunk : Buffer.concat([keys.subarray(0, held), chunk]);
    for (let at = held; at < all.length; at++) {
      this.advance(all[at]!);
      if (this.matched === keys.length) {
        this.matched = 0;
        return { data: all.subarray(0, at + 1 - keys.length), detached: true };
      }
    }
    return { data: all.subarray(0, all.length - this.matched), detached: false };
  }

  /** The input has ended: what is still held back. */
  flush(): Buffer {
    const held = this.keys.subarray(0, this.matched);
    this.matched = 0;
    return held;
  }

  private advance(byte: number): void {
    while (this.matched > 0 && this.keys[this.matched] !== byte) this.matched = this.shorter();
    if (this.keys[this.matched] === byte) this.matched++;
  }

  /** The longest proper suffix of what is matched that is also a prefix of the keys. */
  private shorter(): number {
    for (let length = this.matched - 1; length > 0; length--) {
      const suffix = this.keys.subarray(this.matched - length, this.matched);
      if (suffix.equals(this.keys.subarray(0, length))) return length;
    }
    return 0;
  }
}
