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
    const rows = grouped(documents).map(({ of, at }) => exposureRow(of, at, VANTAGES[of.From]));
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

/** Ways that differ by address alone, joined: a port published on all addresses is one line for both families. */
function grouped(documents: readonly ExposureDocument[]): { of: ExposureDocument; at: string[] }[] {
  const groups = new Map<string, { of: ExposureDocument; at: string[] }>();
  for (const each of documents) {
    const key = JSON.stringify([each.From, each.ContainerID, each.Port, each.Why]);
    const group = groups.get(key);
    if (group) group.at.push(each.At);
    else groups.set(key, { of: each, at: [each.At] });
  }
  return [...groups.values()];
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
