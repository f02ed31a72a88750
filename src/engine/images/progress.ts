import { shortId } from '../../base/index.ts';

/** A line of a progress stream, as clients print it. */
export type ProgressLine = Record<string, unknown>;

/** Takes progress lines from deep inside; they go out one by one, as soon as the client takes them. */
export type Report = (line: ProgressLine) => void;

/** So many lines wait for a client before a count takes the place of the one before it. */
const MANY_LINES = 256;

/**
 * Runs `work` and yields what it reports while it runs; ends, or throws, as the work does. For a client that does not keep
 * up counts are left out that newer ones replace: what waits for it is bounded by what is counted, not by time.
 */
export async function* reportLines(work: (report: Report) => Promise<void>): AsyncIterable<ProgressLine> {
  const lines: ProgressLine[] = [];
  let wake = Promise.withResolvers<void>();
  let ended = false;
  const finished = work((line) => {
    if (lines.length < MANY_LINES || !replaceCount(lines, line)) lines.push(line);
    wake.resolve();
  }).finally(() => {
    ended = true;
    wake.resolve();
  });
  // Awaited below; without this a failure before then would count as unhandled.
  finished.catch(() => {});
  try {
    for (;;) {
      yield* lines.splice(0);
      if (lines.length > 0) continue;
      if (ended) break;
      await wake.promise;
      wake = Promise.withResolvers();
    }
    await finished;
  } finally {
    await finished.catch(() => {});
  }
}

/** Puts a count in the place of an older one of the same thing; false when no such is the last that waits of it. */
function replaceCount(lines: ProgressLine[], line: ProgressLine): boolean {
  if (line['progress'] === undefined) return false;
  const at = lines.findLastIndex(({ id }) => id === line['id']);
  const last = lines[at];
  if (last?.['progress'] === undefined || last['status'] !== line['status']) return false;
  lines[at] = line;
  return true;
}

/** Bytes between two lines of one layer. */
const STEP = 1 << 19;

/** Passes a layer's bytes through, reporting how many of `total` went by. */
export function countLoaded(
  source: AsyncIterable<Uint8Array>,
  layer: { diffId: string; total: number },
  report: Report,
): AsyncIterable<Uint8Array> {
  const { total } = layer;
  return counted(source, (current) => {
    const line = { status: 'Loading layer', progressDetail: { current, total } };
    report({ ...line, progress: progressBar(current, total), id: shortId(layer.diffId) });
  });
}

/** Passes the bytes of a downloaded archive through, reporting how many went by. */
export function countImported(
  source: AsyncIterable<Uint8Array>,
  total: number | undefined,
  report: Report,
): AsyncIterable<Uint8Array> {
  return counted(source, (current) => {
    const progress = total === undefined ? ` ${humanSize(current)}` : progressBar(current, total);
    report({ status: 'Importing', progressDetail: { current, total: total ?? -1 }, progress });
  });
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  say: (current: number) => void,
): AsyncIterable<Uint8Array> {
  let current = 0;
  let said = Number.NEGATIVE_INFINITY;
  for await (const chunk of source) {
    current += chunk.length;
    if (current - said >= STEP) {
      said = current;
      say(current);
    }
    yield chunk;
  }
  if (said !== current) say(current);
}

/** `[=====>    ]  5.2MB/10MB`, for clients that do not draw it themselves. */
export function progressBar(current: number, total: number): string {
  const filled = total > 0 ? Math.min(50, Math.floor((current / total) * 50)) : 50;
  return `[${'='.repeat(filled)}>${' '.repeat(50 - filled)}] ${humanSize(current).padStart(8)}/${humanSize(total)}`;
}

/** Four significant digits and a decimal unit: `98.3kB`. */
function humanSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${Number(size.toPrecision(4))}${units[unit]}`;
}
