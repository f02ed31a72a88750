import type { ExposureDocument } from '../../../api/index.ts';
import { inspectContainer, networkExposure } from '../../../client/index.ts';
import { ANY_OPERANDS, type CommandSpec, type Context } from '../../command.ts';
import { compareNatural } from '../../natural-order.ts';
import { listFormat } from '../../shared-flags.ts';
import { type Row, renderListing, row } from '../../table.ts';

const HEADERS = {
  Container: 'CONTAINER',
  ContainerID: 'CONTAINER ID',
  Network: 'NETWORK',
  Port: 'PORT',
  At: 'REACHABLE AT',
  From: 'FROM',
  Why: 'WHY',
};

/** From where, in words, the widest first. */
const VANTAGES: Readonly<Record<ExposureDocument['From'], string>> = {
  lan: 'other hosts',
  host: 'this host',
  network: 'its network',
  container: 'itself',
};
const WIDEST_FIRST = Object.keys(VANTAGES);

export const command: CommandSpec = {
  usage: '[OPTIONS] [CONTAINER...]',
  summary:
    'List every port of containers that can be reached, from where, and why\n\n' +
    'What is open to other hosts comes first; what is not listed is closed. FROM is the widest vantage:\n' +
    'other hosts, this host, containers on the same network, or the container itself.',
  flags: [listFormat()],
  arity: ANY_OPERANDS,
  completes: 'running',
  async run(context, flags) {
    const documents = await chosen(context, flags.operands);
    documents.sort(widestFirst);
    const format = flags.string('format');
    if (format !== '' && format !== 'table') {
      const rows = documents.map((each) => exposureRow(each, [each.At], each.From));
      context.print(await listing(format, rows));
      return 0;
    }
    if (documents.length === 0) {
      const whose = flags.operands.length === 0 ? '' : ` of ${flags.operands.join(', ')}`;
      context.print(`Nothing${whose} is reachable.\n`);
      return 0;
    }
    const rows = linesOf(documents).map(({ of, port, at }) =>
      exposureRow({ ...of, Port: spanText(port) }, at.map(spanText), VANTAGES[of.From]),
    );
    context.print(await listing('table {{.Container}}\t{{.Port}}\t{{.At}}\t{{.From}}\t{{.Why}}', rows));
    return 0;
  },
};

/** What is known of these containers, or of all. */
async function chosen(context: Context, operands: readonly string[]): Promise<ExposureDocument[]> {
  const ids = new Set<string>();
  for (const operand of operands) ids.add((await inspectContainer(context.client(), operand)).Id);
  const all = await networkExposure(context.client());
  return operands.length === 0 ? all : all.filter((each) => ids.has(each.ContainerID));
}

function widestFirst(a: ExposureDocument, b: ExposureDocument): number {
  return (
    WIDEST_FIRST.indexOf(a.From) - WIDEST_FIRST.indexOf(b.From) ||
    compareNatural(a.ContainerName, b.ContainerName) ||
    compareNatural(a.Port, b.Port) ||
    compareNatural(a.At, b.At)
  );
}

/** A line of the table: ports that differ by their numbers alone are one, as are the addresses of one port. */
interface Line {
  of: ExposureDocument;
  port: Span;
  at: Span[];
}

/** A text with a number in it that may have become a range; `first` is NaN where there is none. */
interface Span {
  before: string;
  first: number;
  last: number;
  after: string;
}

/** The parts of `9000/tcp`, `[::]:9000`, or a text without a port. */
function spanOf(text: string): Span {
  const [, before = text, port, after = ''] = /^(.*:|)(\d+)(\/\w+|)$/.exec(text) ?? [];
  const number = Number(port ?? Number.NaN);
  return { before, first: number, last: number, after };
}

function spanText({ before, first, last, after }: Span): string {
  if (Number.isNaN(first)) return before;
  return `${before}${first}${first === last ? '' : `-${last}`}${after}`;
}

/** Whether the second goes on where the first ends. */
const continues = (one: Span, next: Span | undefined): boolean =>
  next !== undefined && next.before === one.before && next.after === one.after && next.first === one.last + 1;

function linesOf(documents: readonly ExposureDocument[]): Line[] {
  const lines = new Map<string, Line>();
  for (const of of documents) {
    const key = JSON.stringify([of.From, of.ContainerID, of.Port, of.Why]);
    const line = lines.get(key);
    if (line) line.at.push(spanOf(of.At));
    else lines.set(key, { of, port: spanOf(of.Port), at: [spanOf(of.At)] });
  }
  return [...lines.values()].reduce(joinRange, []);
}

/** Adds a line, to the range that ends just before it where there is one. */
function joinRange(lines: Line[], line: Line): Line[] {
  const before = lines.at(-1);
  const joined =
    before?.of.ContainerID === line.of.ContainerID &&
    before.of.From === line.of.From &&
    before.of.Why === line.of.Why &&
    continues(before.port, line.port) &&
    before.at.length === line.at.length &&
    before.at.every((span, index) => continues(span, line.at[index]));
  if (!joined) return [...lines, line];
  for (const span of [before.port, ...before.at]) span.last++;
  return lines;
}

function exposureRow(of: ExposureDocument, at: readonly string[], from: string): Row {
  return row({
    Container: () => of.ContainerName,
    ContainerID: () => of.ContainerID,
    Network: () => of.Network,
    Port: () => of.Port,
    At: () => at.join(', '),
    From: () => from,
    Why: () => of.Why,
  });
}

function listing(format: string, rows: readonly Row[]): Promise<string> {
  return renderListing({ format, typeName: '*network.exposureContext', headers: HEADERS, rows });
}
