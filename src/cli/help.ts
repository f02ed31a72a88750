import type { CommandSpec } from './command.ts';
import type { FlagSpec } from './flags.ts';

const WIDTH = 80;
/** A line may stick out by so much, rather than break before its last short word. */
const SLOP = 5;
/** Help texts narrower than this are not wrapped beside the flag. */
const NARROW = 24;

/** The options block of a command's help, in the layout of Docker's help. */
export function flagUsages(flags: readonly FlagSpec[]): string {
  const shown = flags.filter((each) => !each.hidden).sort((a, b) => (a.name < b.name ? -1 : 1));
  const heads = shown.map((each) => {
    const start = each.short === undefined ? `      --${each.name}` : `  -${each.short}, --${each.name}`;
    return each.typeName === '' ? start : `${start} ${each.typeName}`;
  });
  const column = Math.max(...heads.map((head) => head.length)) + 3;
  return shown
    .map((each, at) => {
      const text = each.shown === undefined ? each.text : `${each.text} (default ${each.shown})`;
      return `${(heads[at] ?? '').padEnd(column)}${wrap(column, text)}\n`;
    })
    .join('');
}

function wrap(column: number, text: string): string {
  let left = column;
  let width = WIDTH - left;
  let out = '';
  if (width < NARROW) {
    left = 16;
    width = WIDTH - left;
    out = `\n${' '.repeat(left)}`;
  }
  const margin = `\n${' '.repeat(left)}`;
  const parts: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const [part, after] = cut(width - SLOP, rest);
    parts.push(part.replaceAll('\n', margin));
    rest = after;
  }
  return out + parts.join(margin);
}

function cut(width: number, text: string): [string, string] {
  if (width + SLOP > text.length) return [text, ''];
  const head = text.slice(0, width);
  const blank = Math.max(head.lastIndexOf(' '), head.lastIndexOf('\t'), head.lastIndexOf('\n'));
  if (blank <= 0) return [text, ''];
  const line = head.lastIndexOf('\n');
  const at = line > 0 && line < blank ? line : blank;
  return [text.slice(0, at), text.slice(at + 1)];
}

/** The usage line of a command. */
export function usageLine(program: string, path: string, spec: CommandSpec): string {
  return `Usage:  ${program} ${path}${spec.usage === '' ? '' : ` ${spec.usage}`}`;
}

/** The whole help of one command. */
export function commandHelp(
  program: string,
  path: string,
  spec: CommandSpec,
  aliases: readonly string[],
): string {
  const parts = [usageLine(program, path, spec), '', spec.summary, ''];
  if (aliases.length > 1)
    parts.push('Aliases:', `  ${aliases.map((alias) => `${program} ${alias}`).join(', ')}`, '');
  const text = parts.join('\n');
  return spec.flags.some((each) => !each.hidden) ? `${text}\nOptions:\n${flagUsages(spec.flags)}` : text;
}

/** Names with their summaries, in two columns. */
export function listing(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(11, ...rows.map(([name]) => name.length)) + 1;
  return rows.map(([name, summary]) => `  ${name.padEnd(width)}${summary}\n`).join('');
}
