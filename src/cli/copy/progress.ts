import type { Terminal } from '../command.ts';
import { humanSize } from '../human.ts';

/** Milliseconds between two looks at how far a copy is. */
const INTERVAL = 500;

/** Tells how far a copy is, where somebody looks. */
export interface CopyProgress {
  /** The same bytes, counted. */
  count<T extends Uint8Array>(source: AsyncIterable<T>): AsyncIterable<T>;
  /** Says how far it is, where the bytes do not come by here. */
  reached(bytes: number): void;
  /** Says that all is copied, and where to. */
  done(target: string): void;
  /** Takes the line away, after an error. */
  stop(): void;
}

/** Shows a line on the terminal that errors go to; nothing where that is none, or `quiet`. */
export function copyProgress(terminal: Terminal, title: string, quiet: boolean): CopyProgress {
  const { stderr } = terminal;
  let bytes = 0;
  const count = async function* <T extends Uint8Array>(source: AsyncIterable<T>) {
    for await (const chunk of source) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  const reached = (now: number) => {
    bytes = now;
  };
  if (quiet || !stderr.isTTY) return { count, reached, done: () => undefined, stop: () => undefined };
  let shown = false;
  const timer = setInterval(() => {
    shown = true;
    stderr.write(`\r\u001b[2K${title} - ${humanSize(bytes, 3)}`);
  }, INTERVAL);
  const stop = () => {
    clearInterval(timer);
    if (shown) stderr.write('\r\u001b[2K');
    shown = false;
  };
  return {
    count,
    reached,
    done(target) {
      stop();
      stderr.write(`Successfully copied ${humanSize(bytes, 3)} to ${target}\n`);
    },
    stop,
  };
}
