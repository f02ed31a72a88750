const DEFAULT_KEYS = 'ctrl-p,ctrl-q';
const NAMED: Readonly<Record<string, number>> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

/** Reads `ctrl-p,ctrl-q` or `a,b` to bytes. Throws Error `Unknown character: 'x'`. */
export function parseDetachKeys(text: string): number[] {
  return (text === '' ? DEFAULT_KEYS : text).split(',').map((key) => {
    if (key.length === 1) return key.charCodeAt(0);
    const control = /^ctrl-(.)$/.exec(key)?.[1];
    if (control !== undefined && /[a-z]/.test(control)) return control.charCodeAt(0) - 96;
    const named = control === undefined ? undefined : NAMED[control];
    if (named === undefined) throw new Error(`Unknown character: '${key}'`);
    return named;
  });
}

/** Finds the detach keys in what is typed. Keys that may begin them are held back until it is clear. */
export class DetachScanner {
  private readonly keys: readonly number[];
  private matched = 0;

  constructor(keys: string) {
    this.keys = parseDetachKeys(keys);
  }

  /** What goes on to the container; undefined once the keys were typed. */
  push(chunk: Buffer): Buffer | undefined {
    const out: number[] = [];
    for (const byte of chunk) {
      if (byte === this.keys[this.matched]) {
        this.matched++;
        if (this.matched === this.keys.length) return undefined;
        continue;
      }
      out.push(...this.keys.slice(0, this.matched));
      this.matched = byte === this.keys[0] && this.keys.length > 1 ? 1 : 0;
      if (this.matched === 0) out.push(byte);
    }
    return Buffer.from(out);
  }
}
