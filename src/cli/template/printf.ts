import { quote } from './quote.ts';
import { formatValue, isStruct, kindName, type Value } from './values.ts';

interface Verb {
  minus: boolean;
  plus: boolean;
  zero: boolean;
  sharp: boolean;
  space: boolean;
  width: number | undefined;
  precision: number | undefined;
  verb: string;
}

const DIRECTIVE = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d*))?([a-zA-Z%])/g;
/** Wider padding than this is refused by Go, too. */
const MAX_WIDTH = 1_000_000;

/** Go's `fmt.Sprintf` for the values that templates hold. */
export function sprintf(format: string, args: readonly Value[]): string {
  let next = 0;
  let used = 0;
  const take = (): Value => args[next++];
  const text = format.replace(
    DIRECTIVE,
    (_all, flags: string, width?: string, precision?: string, verb = '') => {
      if (verb === '%') return '%';
      const star = (value: string | undefined) =>
        value === '*' ? Number(take()) : value === undefined ? undefined : Number(value || 0);
      const directive: Verb = {
        minus: flags.includes('-'),
        plus: flags.includes('+'),
        zero: flags.includes('0'),
        sharp: flags.includes('#'),
        space: flags.includes(' '),
        width: star(width),
        precision: star(precision),
        verb,
      };
      if (next >= args.length) return `%!${verb}(MISSING)`;
      used = next + 1;
      return pad(directive, convert(directive, take()));
    },
  );
  if (used >= args.length) return text;
  const extra = args
    .slice(used)
    .map(
      (arg) =>
        `${kindName(arg).replace('untyped nil', '<nil>')}${arg === null || arg === undefined ? '' : `=${formatValue(arg)}`}`,
    );
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function pad(directive: Verb, text: string): string {
  const width = Math.min(directive.width ?? 0, MAX_WIDTH);
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (directive.minus) return text + ' '.repeat(missing);
  if (directive.zero && !'sqv'.includes(directive.verb)) {
    const sign = /^[+-]/.test(text) ? 1 : 0;
    return text.slice(0, sign) + '0'.repeat(missing) + text.slice(sign);
  }
  return (directive.zero && directive.verb !== 'v' ? '0' : ' ').repeat(missing) + text;
}

function convert(directive: Verb, value: Value): string {
  if (Array.isArray(value) && directive.verb !== 'T')
    return `[${value.map((item) => convert(directive, item)).join(' ')}]`;
  const number = typeof value === 'number' || typeof value === 'bigint';
  switch (directive.verb) {
    case 'v':
      if (directive.plus && isStruct(value)) {
        return `{${Object.entries(value)
          .map(([key, item]) => `${key}:${formatValue(item)}`)
          .join(' ')}}`;
      }
      return formatValue(value);
    case 's':
      return typeof value === 'string'
        ? cut(value, directive.precision)
        : number || typeof value === 'boolean'
          ? wrong(directive.verb, value)
          : formatValue(value);
    case 'q':
      return typeof value === 'string'
        ? quote(value)
        : number
          ? `'${String.fromCodePoint(Number(value))}'`
          : formatValue(value, true);
    case 't':
      return typeof value === 'boolean' ? String(value) : wrong('t', value);
    case 'T':
      return value === null || value === undefined ? '<nil>' : kindName(value);
    case 'c':
      return number ? String.fromCodePoint(Number(value)) : wrong('c', value);
    case 'e':
    case 'f':
    case 'F':
    case 'g':
      return number ? float(directive, Number(value)) : wrong(directive.verb, value);
    default:
      return integer(directive, value);
  }
}

const BASES: Readonly<Record<string, number>> = { d: 10, x: 16, X: 16, o: 8, b: 2 };

function integer(directive: Verb, value: Value): string {
  const base = BASES[directive.verb];
  if (base === undefined) return wrong(directive.verb, value);
  if (typeof value === 'string' && base === 16) {
    const hex = Buffer.from(value).toString('hex');
    return directive.verb === 'X' ? hex.toUpperCase() : hex;
  }
  if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isInteger(value)))
    return wrong(directive.verb, value);
  const big = BigInt(value);
  const digits = (big < 0n ? -big : big).toString(base);
  const sign = big < 0n ? '-' : directive.plus ? '+' : directive.space ? ' ' : '';
  const prefix = directive.sharp && base === 16 ? '0x' : '';
  return sign + prefix + (directive.verb === 'X' ? digits.toUpperCase() : digits);
}

function float(directive: Verb, value: number): string {
  const sign = directive.plus && value >= 0 ? '+' : '';
  if (directive.verb === 'g')
    return (
      sign +
      (directive.precision === undefined
        ? formatValue(value)
        : String(Number(value.toPrecision(directive.precision || 1))))
    );
  if (directive.verb === 'e')
    return sign + value.toExponential(directive.precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2');
  return sign + value.toFixed(Math.min(directive.precision ?? 6, 100));
}

function cut(text: string, precision: number | undefined): string {
  return precision === undefined ? text : [...text].slice(0, precision).join('');
}

function wrong(verb: string, value: Value): string {
  if (value === null || value === undefined) return `%!${verb}(<nil>)`;
  return `%!${verb}(${kindName(value)}=${formatValue(value)})`;
}
