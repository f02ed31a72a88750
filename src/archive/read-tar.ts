import { limitsFrom } from './limits.ts';
import { TarDecoder } from './tar-decoder.ts';
import type { ArchiveLimits, TarEntry, TarHeader } from './types.ts';

type TarEvent = { kind: 'entry'; header: TarHeader } | { kind: 'data'; bytes: Uint8Array } | { kind: 'end' };

/**
 * The entries of an uncompressed tar. Content that was not read is skipped by the step to the next entry. Errors:
 * `corrupt` for a damaged or cut archive, `invalid` for what passes a limit or isn't supported.
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  limits?: Partial<ArchiveLimits>,
): AsyncGenerator<TarEntry, void, undefined> {
  const events = tarEvents(source, limits);
  try {
    for (let next = await events.next(); !next.done; next = await events.next()) {
      if (next.value.kind !== 'entry') continue;
      const body = bodyOf(events);
      yield { ...next.value.header, body };
      // What the reader left is skipped.
      for await (const _skipped of body);
    }
  } finally {
    await events.return(undefined);
  }
}

/** The content of the entry under way. It doesn't close the events when its reader leaves early. */
function bodyOf(events: AsyncGenerator<TarEvent, void, undefined>): AsyncIterable<Uint8Array> {
  let ended = false;
  const body: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => body,
    async next() {
      const event = ended ? undefined : await events.next();
      if (event && !event.done && event.value.kind === 'data')
        return { done: false, value: event.value.bytes };
      ended = true;
      return { done: true, value: undefined };
    },
  };
  return body;
}

async function* tarEvents(
  source: AsyncIterable<Uint8Array>,
  limits?: Partial<ArchiveLimits>,
): AsyncGenerator<TarEvent, void, undefined> {
  let queue: TarEvent[] = [];
  const decoder = new TarDecoder(
    {
      entry: (header) => queue.push({ kind: 'entry', header }),
      data: (bytes) => queue.push({ kind: 'data', bytes }),
      end: () => queue.push({ kind: 'end' }),
    },
    limitsFrom(limits),
  );
  for await (const chunk of source) {
    decoder.push(chunk);
    const found = queue;
    queue = [];
    yield* found;
  }
  decoder.finish();
}
