/** What both sides of an unpacking share: the caller's thread writes what may be read, the worker's how far it is. */
const STATE = 0;
const WAITING = 1;
const AVAILABLE = 1;
const BYTES = 16;

const OPEN = 0;
const ENDED = 1;
const STOPPED = 2;

/** A file that is still written to while it is unpacked: its writer says how far it may be read. */
export class GrowingFile {
  readonly path: string;
  /** Bytes that the file will have in the end, when known: helps to share work among threads. */
  readonly size: number | undefined;
  /** Handed to the thread that reads. */
  readonly shared = new SharedArrayBuffer(BYTES);
  private readonly flags = new Int32Array(this.shared);
  private readonly numbers = new BigInt64Array(this.shared);
  private wake: (() => void) | undefined;
  private stopped: { reason: unknown } | undefined;

  /** The file must exist when `unpackLayer` is called, and may be renamed or removed after that. */
  constructor(path: string, size?: number) {
    this.path = path;
    this.size = size;
  }

  /** Says that the first `available` bytes may be read. Costs next to nothing: call it after each write. */
  advance(available: number): void {
    Atomics.store(this.numbers, AVAILABLE, BigInt(available));
    this.rouse();
  }

  /** Says that all is there, up to what was advanced to. */
  end(): void {
    Atomics.compareExchange(this.flags, STATE, OPEN, ENDED);
    this.rouse();
  }

  /** Says that no more comes: the unpacking ends with `reason` as its error. */
  fail(reason: unknown): void {
    this.stopped ??= { reason };
    Atomics.store(this.flags, STATE, STOPPED);
    this.wake?.();
  }

  /** Why it failed, if it did. */
  get failure(): { reason: unknown } | undefined {
    return this.stopped;
  }

  /** For the unpacking: `wake` is called when the thread waits and has something to do, or is to stop. */
  onWake(wake: () => void): void {
    this.wake = wake;
    wake();
  }

  private rouse(): void {
    if (this.wake && Atomics.exchange(this.flags, WAITING, 0) === 1) this.wake();
  }
}

/** The reading thread's side of a growing file. */
export class GrowingFileReader {
  private readonly flags: Int32Array;
  private readonly numbers: BigInt64Array;

  constructor(shared: SharedArrayBuffer) {
    this.flags = new Int32Array(shared);
    this.numbers = new BigInt64Array(shared);
  }

  /** True when nobody wants the rest. */
  get stopped(): boolean {
    return Atomics.load(this.flags, STATE) === STOPPED;
  }

  /**
   * How far it may be read, and whether more will come. When there is nothing behind `at` the writer is asked for a call,
   * and the reader may rest until then.
   */
  available(at: number): { end: number; last: boolean } {
    const now = this.look();
    if (now.end > at || now.last || this.stopped) return now;
    Atomics.store(this.flags, WAITING, 1);
    // What came between the look and the mark was not announced.
    return this.look();
  }

  private look(): { end: number; last: boolean } {
    // The state first: bytes are announced before the end is.
    const last = Atomics.load(this.flags, STATE) === ENDED;
    return { end: Number(Atomics.load(this.numbers, AVAILABLE)), last };
  }
}
