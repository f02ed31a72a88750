import { ExitError } from './command.ts';
import { safeCell } from './sanitize.ts';
import type { TemplateError, Value } from './template/index.ts';

/** The column's least width and the blanks after it, as Docker's tables have them. */
const MIN_WIDTH = 10;
const PADDING = 3;

/** A row of a table: each column's word computed when asked. */
export type Row = ReadonlyMap<string, (...args: Value[]) => Value>;

/** What a listing prints. */
export interface Listing {
  /** The template of `--format`, or the default. `table` before it asks for headers. */
  format: string;
  /** The Go type that errors name. */
  typeName: string;
  headers: Readonly<Record<string, string>>;
  rows: readonly Row[];
  /** The prefix of errors. */
  errorPrefix?: string;
}

/** Lines whose cells are parted by tabs, as columns. The last cell of a line is not padded. */
export function alignColumns(text: string, minWidth = MIN_WIDTH, padding = PADDING): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const out = lines.map((cells) => cells.slice());
  const columns = Math.max(...lines.map((cells) => cells.length));
  for (let column = 0; column < columns; column++) alignColumn(lines, out, column, minWidth, padding);
  return out.map((cells) => cells.join('')).join('\n');
}

/** Lines next to each other that end a cell here share a width. Source: Go's text/tabwriter. */
function alignColumn(
  lines: string[][],
  out: string[][],
  column: number,
  minWidth: number,
  padding: number,
): void {
  for (let start = 0; start < lines.length; ) {
    if ((lines[start]?.length ?? 0) <= column + 1) {
      start++;
      continue;
    }
    let end = start;
    let width = minWidth;
    while (end < lines.length && (lines[end]?.length ?? 0) > column + 1) {
      const size = [...(lines[end]?.[column] ?? '')].length + padding;
      width = Math.max(width, size === padding ? 0 : size);
      end++;
    }
    for (let at = start; at < end; at++) {
      const cell = lines[at]?.[column] ?? '';
      (out[at] as string[])[column] = cell + ' '.repeat(Math.max(0, width - [...cell].length));
    }
    start = end;
  }
}

/** Reads what the user typed for `--format`: the escapes of tab and line feed. */
export function unescapeFormat(format: string): string {
  return format.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

/** The listing as text. Throws ExitError with Docker's text for a bad template. */
export async function renderListing(listing: Listing): Promise<string> {
  const { format, headers } = listing;
  if (format === 'json' || format === '{{json .}}') {
    const { Methods, toJson } = await import('./template/index.ts');
    return listing.rows.map((row) => `${toJson(new Methods(listing.typeName, row))}\n`).join('');
  }
  const isTable = format.startsWith('table');
  const body = unescapeFormat((isTable ? format.slice('table'.length) : format).trim());
  const words = new Map<string, (...args: Value[]) => Value>(
    Object.entries(headers).map(([name, word]) => [name, () => word]),
  );
  const [header = '', ...lines] =
    plainLines(body, [...(isTable ? [words] : [new Map()]), ...listing.rows]) ??
    (await templateLines(body, listing, isTable ? words : undefined));
  const text = lines.map((line) => `${line}\n`).join('');
  return isTable ? alignColumns(`${header}\n${text}`) : text;
}

/**
 * The lines of a template of nothing but fields that all rows have as text: the standard tables, which need not load
 * the template language.
 */
function plainLines(body: string, rows: readonly Row[]): string[] | undefined {
  const parts = body.split(/\{\{\.(\w+)\}\}/);
  if (parts.some((part, at) => at % 2 === 0 && /[{}]/.test(part))) return undefined;
  const lines: string[] = [];
  for (const row of rows) {
    const cells = parts.map((part, at) => (at % 2 === 0 || row.size === 0 ? part : wordOf(row.get(part))));
    if (!cells.every((cell) => typeof cell === 'string')) return undefined;
    lines.push(cells.join(''));
  }
  return lines;
}

/** What a field without arguments gives; undefined for one that wants some, which is an error of the template. */
function wordOf(field: ((...args: Value[]) => Value) | undefined): Value {
  return field?.length === 0 ? field() : undefined;
}

/** The header, empty without `words`, and the lines of any other template. */
async function templateLines(
  body: string,
  listing: Listing,
  words: Map<string, (...args: Value[]) => Value> | undefined,
): Promise<string[]> {
  const { compileTemplate, isTemplateError, Methods } = await import('./template/index.ts');
  try {
    const template = compileTemplate(body);
    const lines = listing.rows.map((row) => template.apply(new Methods(listing.typeName, row)));
    if (!words) return ['', ...lines];
    const label = (name: Value): Value => labelHeader(String(name));
    if (listing.headers['Labels'] !== undefined) words.set('Label', label);
    return [template.header(new Methods(listing.typeName, words)), ...lines];
  } catch (thrown) {
    if (isTemplateError(thrown)) throw new ExitError(1, templateFailure(thrown, listing.errorPrefix).message);
    throw thrown;
  }
}

/** A label's name as a header: the part after the last dot, its separators as blanks. */
function labelHeader(name: string): string {
  return (name.split('.').at(-1) ?? '').replace(/[-_]/g, ' ');
}

/** The exit that Docker's client makes of a template's error. */
export function templateFailure(error: TemplateError, prefix = 'template parsing error'): ExitError {
  return new ExitError(error.stage === 'parse' ? 64 : 1, `${prefix}: ${error.describe()}`);
}

/** Makes a row of plain words; foreign control characters are taken out. */
export function row(
  columns: Readonly<Record<string, () => string>>,
  labels?: Readonly<Record<string, string>> | null,
): Row {
  const out = new Map<string, (...args: Value[]) => Value>(
    Object.entries(columns).map(([name, word]) => [name, () => safeCell(word())]),
  );
  if (labels !== undefined) out.set('Label', (name: Value): Value => safeCell(labels?.[String(name)] ?? ''));
  return out;
}
