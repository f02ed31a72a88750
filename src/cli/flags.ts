import { parseBytes, parseDecimalNano, parseDuration } from './quantities.ts';

/** How a flag's value is read. `list` keeps each occurrence, `strings` splits at commas, too. */
export type FlagType =
  | 'bool'
  | 'string'
  | 'int'
  | 'uint16'
  | 'uint'
  | 'list'
  | 'strings'
  | 'map'
  | 'bytes'
  | 'decimal'
  | 'duration';

/** What a flag holds once read: bytes are a number of bytes, a decimal is in billionths, a duration in nanoseconds. */
export type FlagValue = boolean | string | number | string[] | undefined;

/** A flag of a command. */
export interface FlagSpec {
  readonly name: string;
  readonly short: string | undefined;
  readonly type: FlagType;
  /** What it does, for help. */
  readonly text: string;
  readonly initial: FlagValue;
  /** The type's name in help, where it is not that of its type. */
  readonly typeName: string;
  /** The default as help shows it; undefined when it goes without saying. */
  readonly shown: string | undefined;
  readonly hidden: boolean;
  /** Where its value is kept: under its own name, or under that of the flag whose old name it is. */
  readonly key: string;
  /** Refuses a value by throwing an Error with the reason, or rewrites it. */
  readonly check: ((value: string) => string) | undefined;
}

interface FlagExtra {
  default?: FlagValue;
  shown?: string;
  typeName?: string;
  hidden?: boolean;
  oldNameOf?: string;
  check?: (value: string) => string;
}

/** Declares a flag; `names` is `long` or `s,long`. */
export function flag(names: string, type: FlagType, text: string, extra: FlagExtra = {}): FlagSpec {
  const [short, name] = names.includes(',') ? names.split(',') : [undefined, names];
  const initial = extra.default ?? EMPTY[type];
  const listed = type === 'list' || type === 'strings' || type === 'map';
  const stated =
    extra.default === undefined || extra.default === false || listed
      ? undefined
      : type === 'string'
        ? JSON.stringify(extra.default)
        : String(extra.default);
  return {
    name: name ?? '',
    short,
    type,
    text,
    initial,
    typeName: extra.typeName ?? (type === 'bool' ? '' : type),
    shown: extra.shown ?? stated ?? (type === 'map' ? 'map[]' : type === 'duration' ? '0s' : undefined),
    hidden: extra.hidden ?? extra.oldNameOf !== undefined,
    key: extra.oldNameOf ?? name ?? '',
    check: extra.check,
  };
}

const EMPTY: Readonly<Record<FlagType, FlagValue>> = {
  bool: false,
  string: '',
  int: 0,
  uint16: 0,
  uint: 0,
  list: undefined,
  strings: undefined,
  map: undefined,
  bytes: 0,
  decimal: 0,
  duration: 0,
};

/** A command line that cannot be read; `message` is as pflag words it. */
export class FlagError extends Error {}

/** The flags and operands of a command line. */
export class ParsedFlags {
  readonly operands: string[] = [];
  private readonly values = new Map<string, FlagValue>();
  private readonly given = new Set<string>();

  /** Whether the flag was on the command line. */
  changed(name: string): boolean {
    return this.given.has(name);
  }

  bool(name: string): boolean {
    return this.values.get(name) === true;
  }

  string(name: string): string {
    return String(this.values.get(name) ?? '');
  }

  number(name: string): number {
    return Number(this.values.get(name) ?? 0);
  }

  list(name: string): string[] {
    const value = this.values.get(name);
    return Array.isArray(value) ? value : [];
  }

  /** Sets what a flag holds before the command line is read. */
  initialise(spec: FlagSpec): void {
    this.values.set(spec.key, spec.initial);
  }

  /** Takes one occurrence of a flag. Throws FlagError for a value that does not fit. */
  take(spec: FlagSpec, text: string): void {
    const first = !this.given.has(spec.key);
    let value: FlagValue;
    try {
      value = read(spec, text);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      const label = spec.short === undefined ? `--${spec.name}` : `-${spec.short}, --${spec.name}`;
      throw new FlagError(`invalid argument ${goQuote(text)} for "${label}" flag: ${reason}`);
    }
    this.given.add(spec.key);
    const before = first ? undefined : this.values.get(spec.key);
    this.values.set(spec.key, Array.isArray(value) && Array.isArray(before) ? [...before, ...value] : value);
  }
}

function goQuote(text: string): string {
  return JSON.stringify(text);
}

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

function read(spec: FlagSpec, raw: string): FlagValue {
  const text = spec.check ? spec.check(raw) : raw;
  switch (spec.type) {
    case 'bool':
      if (TRUE.has(text)) return true;
      if (FALSE.has(text)) return false;
      throw new Error(`strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`);
    case 'int':
      return integer(text, 'ParseInt', -(2n ** 63n), 2n ** 63n - 1n);
    case 'uint16':
      return integer(text, 'ParseUint', 0n, 65535n);
    case 'uint':
      return integer(text, 'ParseUint', 0n, 2n ** 64n - 1n);
    case 'bytes':
      return parseBytes(text);
    case 'decimal':
      return parseDecimalNano(text);
    case 'duration':
      return parseDuration(text);
    case 'strings':
      return text === '' ? [] : text.split(',');
    case 'list':
    case 'map':
      return [text];
    case 'string':
      return text;
  }
}

function integer(text: string, parser: string, low: bigint, high: bigint): number {
  if (
    !/^[+-]?(?:\d[\d_]*|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.test(text) ||
    (parser === 'ParseUint' && /^[+-]/.test(text))
  ) {
    throw new Error(`strconv.${parser}: parsing ${goQuote(text)}: invalid syntax`);
  }
  const bare = text.replace(/^[+-]/, '').replaceAll('_', '');
  const size = BigInt(/^0\d/.test(bare) ? `0o${bare.slice(1)}` : bare);
  const value = text.startsWith('-') ? -size : size;
  if (value < low || value > high)
    throw new Error(`strconv.${parser}: parsing ${goQuote(text)}: value out of range`);
  return Number(value);
}

/** Reads a command line. With `interspersed` false, flags end at the first operand. Throws FlagError. */
export function parseFlags(
  specs: readonly FlagSpec[],
  args: readonly string[],
  interspersed = true,
): ParsedFlags {
  const parsed = new ParsedFlags();
  for (const spec of specs) parsed.initialise(spec);
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    if (arg === '--') {
      parsed.operands.push(...args.slice(at + 1));
      break;
    }
    if (arg.length < 2 || !arg.startsWith('-')) {
      if (!interspersed) {
        parsed.operands.push(...args.slice(at));
        break;
      }
      parsed.operands.push(arg);
      continue;
    }
    at = arg.startsWith('--') ? long(specs, parsed, args, at) : short(specs, parsed, args, at);
  }
  return parsed;
}

function long(specs: readonly FlagSpec[], parsed: ParsedFlags, args: readonly string[], at: number): number {
  const arg = args[at] ?? '';
  const name = arg.slice(2).split('=', 1)[0] ?? '';
  if (name === '' || name.startsWith('-')) throw new FlagError(`bad flag syntax: ${arg}`);
  const spec = specs.find((each) => each.name === name);
  if (!spec) throw new FlagError(`unknown flag: --${name}`);
  if (arg.length > name.length + 2) {
    parsed.take(spec, arg.slice(name.length + 3));
    return at;
  }
  if (spec.type === 'bool') {
    parsed.take(spec, 'true');
    return at;
  }
  const value = args[at + 1];
  if (value === undefined) throw new FlagError(`flag needs an argument: --${name}`);
  parsed.take(spec, value);
  return at + 1;
}

function short(specs: readonly FlagSpec[], parsed: ParsedFlags, args: readonly string[], at: number): number {
  const arg = args[at] ?? '';
  let letters = arg.slice(1);
  while (letters !== '') {
    const letter = [...letters][0] ?? '';
    const spec = specs.find((each) => each.short === letter);
    if (!spec) throw new FlagError(`unknown shorthand flag: '${letter}' in -${letters}`);
    const rest = letters.slice(letter.length);
    if (rest.length > 1 && rest.startsWith('=')) {
      parsed.take(spec, rest.slice(1));
      return at;
    }
    if (spec.type === 'bool') {
      parsed.take(spec, 'true');
      letters = rest;
      continue;
    }
    if (rest !== '') {
      parsed.take(spec, rest);
      return at;
    }
    const value = args[at + 1];
    if (value === undefined) throw new FlagError(`flag needs an argument: '${letter}' in -${letters}`);
    parsed.take(spec, value);
    return at + 1;
  }
  return at;
}
