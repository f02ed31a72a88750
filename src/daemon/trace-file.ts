import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { appendFileSync, writeFileSync } from 'node:fs';
import { SPAN_CHANNEL } from '../base/index.ts';

const FLUSH_MS = 100;

/** Writes every span as a JSON line to a file, off the path that is measured. The file is begun anew. */
export function traceTo(path: string): Disposable {
  writeFileSync(path, '', { mode: 0o600 });
  let lines: string[] = [];
  const flush = () => {
    if (lines.length === 0) return;
    const text = lines.join('');
    lines = [];
    try {
      appendFileSync(path, text);
    } catch {
      // A full disk costs spans, never the daemon.
    }
  };
  const note = (span: unknown) => void lines.push(`${JSON.stringify(span)}\n`);
  subscribe(SPAN_CHANNEL, note);
  const timer = setInterval(flush, FLUSH_MS);
  timer.unref();
  return {
    [Symbol.dispose]() {
      unsubscribe(SPAN_CHANNEL, note);
      clearInterval(timer);
      flush();
    },
  };
}
