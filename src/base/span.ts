import { channel } from 'node:diagnostics_channel';

/** A step that has ended: what it was, for which container (or exec), when it began and how long it took, in milliseconds. */
export interface Span {
  name: string;
  id: string;
  at: number;
  ms: number;
}

/** Name of the diagnostics channel on which spans are published. */
export const SPAN_CHANNEL = 'wharf:span';

const spans = channel(SPAN_CHANNEL);
const SILENT: Disposable = { [Symbol.dispose]() {} };

/**
 * Marks a step until the end of the enclosing block: `using _ = span('network', record.id)`. Without a subscriber it
 * costs one property read and allocates nothing.
 */
export function span(name: string, id: string): Disposable {
  if (!spans.hasSubscribers) return SILENT;
  const at = performance.now();
  return {
    [Symbol.dispose]: () => spans.publish({ name, id, at, ms: performance.now() - at } satisfies Span),
  };
}
