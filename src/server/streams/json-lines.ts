import { WharfError } from '../../base/index.ts';
import type { Call } from '../http/call.ts';
import { startStream } from '../http/respond.ts';
import { drained } from './drain.ts';

/** Streams objects as JSON, one a line; the head goes out at once. Ends early when the client is gone. */
export async function sendLines(call: Call, values: AsyncIterable<unknown>): Promise<void> {
  startStream(call, 'application/json');
  await pump(call, values[Symbol.asyncIterator](), undefined, '\n');
}

/**
 * Streams progress lines. A failure before the first line is an ordinary error answer; a later one is a line with
 * `errorDetail`, since the status is out.
 */
export async function sendProgress(call: Call, lines: AsyncIterable<unknown>): Promise<void> {
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  startStream(call, 'application/json');
  try {
    await pump(call, iterator, first, '\r\n');
  } catch (thrown) {
    const { message } = WharfError.from(thrown);
    call.response.end(`${JSON.stringify({ errorDetail: { message }, error: message })}\r\n`);
  }
}

async function pump(
  call: Call,
  iterator: AsyncIterator<unknown>,
  first: IteratorResult<unknown> | undefined,
  newline: string,
): Promise<void> {
  const { response, signal } = call;
  const stop = () => {
    // Wakes generators that are between values; those that wait heed the signal itself.
    iterator.return?.()?.then(undefined, () => undefined);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    let step = first ?? (await iterator.next());
    while (!step.done && !signal.aborted) {
      if (!response.write(JSON.stringify(step.value) + newline)) await drained(response);
      step = await iterator.next();
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  if (!signal.aborted) response.end();
}
