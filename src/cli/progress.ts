import { WharfError } from '../base/index.ts';
import { jsonLines, type ProgressMessage } from '../client/index.ts';
import { humanSize } from './human.ts';
import { safeText } from './sanitize.ts';

interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

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
    if (message.error !== undefined || message.errorDetail) {
      const text = message.errorDetail?.message ?? message.error ?? '';
      throw new WharfError('internal', text, { cause: { code: message.errorDetail?.code } });
    }
    if (message.aux) {
      aside.push(message.aux);
      continue;
    }
    if (message.stream !== undefined) output.write(safeText(message.stream));
    else if (output.isTTY && message.id) redraw(message, lines, output);
    else if (!message.progressDetail?.current && !message.progressDetail?.total)
      output.write(`${statusLine(message)}\n`);
    if (!message.id) lines.clear();
  }
  return aside;
}

function statusLine(message: ProgressMessage): string {
  return safeText(`${message.id ? `${message.id}: ` : ''}${message.status ?? ''}`);
}

function redraw(message: ProgressMessage, lines: Map<string, number>, output: Output): void {
  const id = message.id ?? '';
  let place = lines.get(id);
  if (place === undefined) {
    place = lines.size;
    lines.set(id, place);
    output.write('\n');
  }
  const up = lines.size - place;
  const bar = message.progressDetail ? progressBar(message.progressDetail, output.columns ?? 80) : '';
  output.write(`\u001b[${up}A\r\u001b[2K${statusLine(message)} ${bar}\r\u001b[${up}B`);
}

function progressBar(detail: NonNullable<ProgressMessage['progressDetail']>, columns: number): string {
  const { current = 0, total = 0, units } = detail;
  if (current <= 0 && total <= 0) return '';
  const amount = (value: number) => (units ? `${value} ${units}` : humanSize(value));
  if (total <= 0) return units ? amount(current) : `${amount(current).padStart(8)}`;
  const half = Math.min(50, Math.trunc((current / total) * 50));
  const bar = columns > 110 ? `[${'='.repeat(half)}>${' '.repeat(50 - half)}] ` : '';
  return `${bar}${amount(current).padStart(8)}/${amount(total)}`;
}
