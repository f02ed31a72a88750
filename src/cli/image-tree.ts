import { WharfError } from '../base/index.ts';
import { type ImageManifestRow, type ImageRow, listImages } from '../client/index.ts';
import type { Context } from './command.ts';
import type { ParsedFlags } from './flags.ts';
import { ellipsis, humanSize, truncateId } from './human.ts';
import { safeCell } from './sanitize.ts';

/** What a line says of an image, or of one of its platforms. */
interface Details {
  id: string;
  usage: string;
  content: string;
  used: boolean;
}

interface Child extends Details {
  platform: string;
  available: boolean;
}

interface Top extends Details {
  names: string[];
  children: Child[];
}

interface Column {
  title: string;
  width: number;
  right?: boolean;
  cell(details: Details): string;
  /** False for a column with colours of its own. */
  coloured?: boolean;
}

/** How a word is put on the terminal. */
type Colour = (text: string) => string;

const colour =
  (code: string): Colour =>
  (text) =>
    `${code}${text}\u001b[0m`;
const PLAIN: Colour = (text) => text;
const HEADER = colour('\u001b[39m\u001b[1m');
const GAP = 3;
/** Columns of a terminal whose size is not known, and the least. */
const [USUAL_WIDTH, LEAST_WIDTH] = [80, 20];
/** The names' column is not made smaller than this for the sake of others. */
const LEAST_NAME = 12;
const EXTRA_WIDTH = 5;
const UNTAGGED = '<untagged>';

/** `images --tree`: each image with what it has for each platform, the newest first. */
export async function showTree(
  context: Context,
  flags: ParsedFlags,
  filters: string | undefined,
): Promise<number> {
  refuseOthers(flags);
  const all = flags.bool('all');
  const images = await listImages(context.client(), { all, filters, manifests: true });
  const tops = images
    .filter((image) => all || tagsOf(image).length > 0 || (image.RepoDigests ?? []).length > 0)
    .sort((a, b) => b.Created - a.Created)
    .map(topOf);
  context.print(draw(tops, context.stdout));
  return 0;
}

function refuseOthers(flags: ParsedFlags): void {
  const words: [string, boolean][] = [
    ['quiet', flags.bool('quiet')],
    ['no-trunc', flags.bool('no-trunc')],
    ['show-digest', flags.bool('digests')],
    ['format', flags.string('format') !== ''],
  ];
  for (const [word, given] of words)
    if (given) throw new WharfError('invalid', `--${word} is not yet supported with --tree`);
}

function tagsOf(image: ImageRow): string[] {
  return (image.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>');
}

function topOf(image: ImageRow): Top {
  const manifests = (image.Manifests ?? []).filter((each) => each.Kind === 'image');
  const children = manifests.map(childOf);
  const content = manifests.reduce((sum, each) => sum + each.Size.Content, 0);
  return {
    // The longest first: the last one shares its line with the details.
    names: tagsOf(image)
      .map(safeCell)
      .sort((a, b) => b.length - a.length),
    children,
    id: truncateId(image.Id),
    usage: humanSize(image.Size, 3),
    content: humanSize(content, 3),
    used: image.Containers > 0 || children.some((child) => child.used),
  };
}

function childOf(manifest: ImageManifestRow): Child {
  const { os = '', architecture = '', variant = '' } = manifest.ImageData?.Platform ?? {};
  return {
    platform: safeCell([os, architecture, variant].filter((word) => word !== '').join('/')) || 'unknown',
    available: manifest.Available,
    id: truncateId(manifest.ID),
    usage: humanSize(manifest.Size.Total, 3),
    content: humanSize(manifest.Size.Content, 3),
    used: (manifest.ImageData?.Containers ?? []).length > 0,
  };
}

function draw(tops: readonly Top[], output: { isTTY?: boolean; columns?: number }): string {
  const tty = output.isTTY === true;
  const width = Math.max(LEAST_WIDTH, (tty && output.columns) || USUAL_WIDTH);
  const columns = fit(width, columnsOf(tty), tops);
  const spaced = tops.some((top) => top.children.length > 0);
  const [normal, faint, name, untagged] = tty
    ? [colour('\u001b[39m'), colour('\u001b[39m\u001b[2m'), colour('\u001b[34m\u001b[1m'), null]
    : [PLAIN, PLAIN, PLAIN, PLAIN];
  let out = warning(tty, width);
  out += `${columns.map((column) => pad(column, column.title, HEADER)).join(' '.repeat(GAP))}\n`;
  for (const top of tops) {
    const names = top.names.length > 0 ? top.names : [UNTAGGED];
    const paint = top.names.length > 0 ? name : (untagged ?? faint);
    for (const each of names.slice(0, -1)) out += `${paint(tty ? ellipsis(each, width) : each)}\n`;
    out += line(columns, names.at(-1) ?? '', paint, top, normal);
    if (spaced) out += '\n';
    for (const [at, child] of top.children.entries()) {
      const branch = at === top.children.length - 1 ? '└─' : '├─';
      const paintChild = child.available ? normal : faint;
      out += `${line(columns, `${branch} ${child.platform}`, paintChild, child, paintChild)}\n`;
    }
    out += '\n';
  }
  return out;
}

function warning(tty: boolean, width: number): string {
  const text =
    "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.";
  const [plain, legend] = tty
    ? [
        'i Info →   U  In Use ',
        '\u001b[1m\u001b[106m\u001b[30mi\u001b[0m\u001b[0m \u001b[96mInfo → \u001b[0m\u001b[0m \u001b[38;5;0m\u001b[48;5;14m U \u001b[0m In Use ',
      ]
    : ['Info ->  U In Use ', 'Info ->  U In Use '];
  const before = ' '.repeat(Math.max(0, width - plain.length));
  return `${tty ? colour('\u001b[93m')(text) : text}\n${before}${legend}\n\n`;
}

function columnsOf(tty: boolean): Column[] {
  const chip = tty ? '\u001b[38;5;0m\u001b[48;5;14m U \u001b[0m' : 'U';
  return [
    { title: 'IMAGE', width: 0, cell: () => '' },
    { title: 'ID', width: 12, cell: (details) => details.id },
    { title: 'DISK USAGE', width: 10, right: true, cell: (details) => details.usage },
    { title: 'CONTENT SIZE', width: 12, right: true, cell: (details) => details.content },
    {
      title: 'EXTRA',
      width: EXTRA_WIDTH,
      coloured: false,
      cell: (details) => (details.used ? chip : ''),
    },
  ];
}

/** Leaves out the columns for which there is no room, and makes the first as wide as it needs to be. */
function fit(width: number, columns: Column[], tops: readonly Top[]): Column[] {
  let room = width;
  let kept = columns;
  for (const [at, column] of columns.entries()) {
    if (column.width === 0) continue;
    const taken = column.width + GAP;
    if (room - taken < LEAST_NAME) {
      kept = columns.slice(0, at);
      break;
    }
    room -= taken;
  }
  const texts = tops.flatMap((top) => [...top.names, ...top.children.map((child) => `└─ ${child.platform}`)]);
  const widest = Math.max('IMAGE'.length, ...texts.map((text) => [...text].length));
  const [first, ...rest] = kept;
  return first ? [{ ...first, width: Math.min(room, widest) }, ...rest] : kept;
}

function line(
  columns: readonly Column[],
  name: string,
  nameColour: Colour,
  details: Details,
  paint: Colour,
): string {
  return columns
    .map((column, at) =>
      at === 0
        ? pad(column, name, nameColour)
        : pad(column, column.cell(details), column.coloured === false ? PLAIN : paint),
    )
    .join(' '.repeat(GAP));
}

function pad(column: Column, text: string, paint: Colour): string {
  const bare = text.replace(/\u001b\[[\d;]*m/g, '');
  const shown = [...bare].length > column.width ? ellipsis(bare, column.width) : text;
  const blanks = ' '.repeat(Math.max(0, column.width - [...shown.replace(/\u001b\[[\d;]*m/g, '')].length));
  return column.right ? `${blanks}${paint(shown)}` : `${paint(shown)}${blanks}`;
}
