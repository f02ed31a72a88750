import { WharfError } from '../base/index.ts';
import { jsonLines, type ProgressMessage } from '../client/index.ts';
import { humanSize } from './human.ts';
import { safeText } from './sanitize.ts';

/** Where progress goes. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** An output for those who want no progress. */
export const SILENT: Output = { write: () => undefined };

/** The width from which on a bar is drawn, in columns. */
const BAR_FROM = 110;
/** Cells of the bar. */
const BAR = 50;

/**
 * Shows a progress stream: on a terminal one line per id that is redrawn, elsewhere one line per change of status.
 * Gives what the engine sent aside. Throws WharfError with the engine's error.
 */
export async function showProgress(
  source: AsyncIterable<Buffer>,
  output: Output,
): Promise<Record<string, unknown>[]> {
  const lines = new Map<string, number>();
  const aside: Record<string, unknown>[] = [];
  for await (const message of jsonLines<ProgressMessage>(source)) {
    if (message.aux) {
      aside.push(message.aux);
      continue;
    }
    if (message.error !== undefined || message.errorDetail) {
      const text = message.errorDetail?.message ?? message.error ?? '';
      throw new WharfError('internal', text, { cause: { code: message.errorDetail?.code } });
    }
    if (output.isTTY) onTerminal(message, lines, output);
    else asLine(message, output);
  }
  return aside;
}

/** A message with an id and progress is one that changes in place; anything else ends the block of those. */
function onTerminal(message: ProgressMessage, lines: Map<string, number>, output: Output): void {
  const { id, progressDetail: detail } = message;
  if (!id || !detail) {
    lines.clear();
    if (message.stream) output.write(safeText(message.stream));
    else output.write(`${statusLine(message)}\n`);
    return;
  }
  let place = lines.get(id);
  if (place === undefined) {
    place = lines.size;
    lines.set(id, place);
    output.write('\n');
  }
  const up = lines.size - place;
  const bar = progressBar(detail, output.columns ?? 200);
  output.write(`\u001b[${up}A\u001b[2K\r${statusLine(message)} ${bar}\r\u001b[${up}B`);
}

/** Only what has no amounts becomes a line: those would be written again and again. */
function asLine(message: ProgressMessage, output: Output): void {
  const { current = 0, total = 0 } = message.progressDetail ?? {};
  if (current > 0 || total > 0) return;
  if (message.stream) output.write(safeText(message.stream));
  else output.write(`${statusLine(message)}\n`);
}

function statusLine(message: ProgressMessage): string {
  return safeText(`${message.id ? `${message.id}: ` : ''}${message.status ?? ''}`);
}

function progressBar(detail: NonNullable<ProgressMessage['progressDetail']>, columns: number): string {
  const { current = 0, total = 0, units } = detail;
  if (current <= 0 && total <= 0) return '';
  if (total <= 0) return units ? safeText(`${current} ${units}`) : humanSize(current).padStart(8);
  const done = Math.min(BAR, Math.trunc(Math.trunc((current / total) * 100) / 2));
  const bar = columns > BAR_FROM ? `[${'='.repeat(done)}>${' '.repeat(BAR - done)}] ` : '';
  if (detail.hidecounts) return bar;
  // A total that was passed is wrong, and not shown.
  const over = current > total;
  if (units) return bar + safeText(over ? `${current} ${units}` : `${current}/${total} ${units}`);
  return `${bar}${humanSize(current).padStart(8)}${over ? '' : `/${humanSize(total)}`}`;
}
