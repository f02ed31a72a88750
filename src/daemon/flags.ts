import { WharfError } from '../base/index.ts';
import { OPTIONS, type OptionSpec } from './options.ts';

/** Option values by flag name: strings, true/false, numbers, lists, or name → value. */
export type OptionValues = Map<string, string | boolean | number | string[] | Record<string, string>>;

/** Reads the command line of `wharfd`. Errors: `invalid`, with what `--help` would tell. */
export function parseFlags(args: readonly string[]): OptionValues & { help?: boolean } {
  const values: OptionValues & { help?: boolean } = new Map();
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string;
    if (arg === '--help' || arg === '-h') {
      values.help = true;
      continue;
    }
    const { option, inline } = findOption(arg);
    let text = inline;
    if (text === undefined && option.kind !== 'boolean') {
      text = args[++at];
      if (text === undefined) throw new WharfError('invalid', `flag needs an argument: ${arg}`);
    }
    assign(values, option, text ?? 'true');
  }
  return values;
}

function findOption(arg: string): { option: OptionSpec; inline: string | undefined } {
  const long = /^--([a-z0-9-]+)(?:=(.*))?$/s.exec(arg);
  const short = /^-([A-Za-z])(?:=?(.+))?$/s.exec(arg);
  const option = long
    ? OPTIONS.find((candidate) => candidate.flag === long[1])
    : short && OPTIONS.find((candidate) => candidate.short === short[1]);
  if (!option) {
    const what = arg.startsWith('-')
      ? `unknown flag: ${arg.split('=')[0]}`
      : `"wharfd" accepts no arguments: ${arg}`;
    throw new WharfError('invalid', `${what}; see 'wharfd --help'`);
  }
  return { option, inline: long ? long[2] : short?.[2] };
}

function assign(values: OptionValues, option: OptionSpec, text: string): void {
  const before = values.get(option.flag);
  switch (option.kind) {
    case 'list':
      values.set(option.flag, [...(Array.isArray(before) ? before : []), text]);
      break;
    case 'map': {
      const at = text.indexOf('=');
      if (at < 1) throw new WharfError('invalid', `--${option.flag} takes ${option.placeholder}: "${text}"`);
      const others = typeof before === 'object' && !Array.isArray(before) ? before : {};
      values.set(option.flag, { ...others, [text.slice(0, at)]: text.slice(at + 1) });
      break;
    }
    case 'boolean':
      values.set(option.flag, parseBoolean(option, text));
      break;
    case 'integer':
      if (!/^\d{1,9}$/.test(text))
        throw new WharfError('invalid', `--${option.flag} takes a number: "${text}"`);
      values.set(option.flag, Number(text));
      break;
    default:
      values.set(option.flag, text);
  }
}

function parseBoolean(option: OptionSpec, text: string): boolean {
  if (['true', '1', 't', 'TRUE', 'True'].includes(text)) return true;
  if (['false', '0', 'f', 'FALSE', 'False'].includes(text)) return false;
  throw new WharfError('invalid', `--${option.flag} is true or false: "${text}"`);
}

/** The text of `wharfd --help`. */
export function helpText(): string {
  const rows = OPTIONS.map((option) => {
    const short = option.short ? `-${option.short}, ` : '    ';
    const type =
      option.placeholder ??
      { string: 'string', boolean: '', integer: 'int', list: 'list', map: 'map' }[option.kind];
    const left = `  ${short}--${option.flag}${type ? ` ${type}` : ''}`;
    const tail = option.defaultText ? ` (default ${option.defaultText})` : '';
    return [left, `${option.help}${tail}`] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 3;
  const lines = rows.map(([left, right]) => left.padEnd(width) + right);
  return `
Usage:  wharfd [OPTIONS]

The daemon of Wharf: serves the Docker Engine API and runs containers.

Options:
${lines.join('\n')}
`;
}
