import { toJson } from './json.ts';
import { sprintf } from './printf.ts';
import { formatValue, isStruct, kindName, Methods, sortedKeys, truth, type Value } from './values.ts';

/** A function that templates call. A thrown Error becomes `error calling NAME: message`. */
export type TemplateFunction = (...args: Value[]) => Value;

function index(item: Value, ...keys: Value[]): Value {
  let at = item;
  for (const key of keys) {
    if (at === null || at === undefined) throw new Error('index of untyped nil');
    if (at instanceof Map) {
      if (typeof key !== 'string') throw new Error(`value has type ${kindName(key)}; should be string`);
      at = at.has(key) ? at.get(key) : zeroOf(at);
    } else if (Array.isArray(at) || typeof at === 'string') {
      if (typeof key !== 'number' && typeof key !== 'bigint')
        throw new Error(`cannot index slice/array with type ${kindName(key)}`);
      const length = typeof at === 'string' ? Buffer.byteLength(at) : at.length;
      const place = Number(key);
      if (place < 0 || place >= length)
        throw new Error(
          `${`reflect: slice index out of range`.replace('reflect: slice index', 'index')}: ${place}`,
        );
      at = typeof at === 'string' ? Buffer.from(at)[place] : at[place];
    } else if (isStruct(at) && typeof key === 'string' && Object.hasOwn(at, key)) at = at[key];
    else throw new Error(`can't index item of type ${kindName(at)}`);
  }
  return at;
}

/** Go answers a missing key with the zero value of the map's element; it shows in the other elements. */
function zeroOf(map: ReadonlyMap<string, Value>): Value {
  const [sample] = map.values();
  if (typeof sample === 'string' || sample === undefined) return '';
  if (typeof sample === 'boolean') return false;
  if (typeof sample === 'number') return 0;
  return Array.isArray(sample) ? [] : null;
}

function slice(item: Value, ...bounds: Value[]): Value {
  if (typeof item !== 'string' && !Array.isArray(item))
    throw new Error(`can't slice item of type ${kindName(item)}`);
  const [from = 0, to] = bounds.map(Number);
  const size = typeof item === 'string' ? Buffer.byteLength(item) : item.length;
  const end = to ?? size;
  if (from < 0 || from > size) throw new Error(`index out of range: ${from}`);
  if (end < 0 || end > size) throw new Error(`index out of range: ${end}`);
  if (from > end) throw new Error(`invalid slice index: ${from} > ${end}`);
  return typeof item === 'string' ? Buffer.from(item).subarray(from, end).toString() : item.slice(from, end);
}

function len(item: Value): Value {
  if (typeof item === 'string') return Buffer.byteLength(item);
  if (Array.isArray(item)) return item.length;
  if (item instanceof Map) return item.size;
  if (item === null || item === undefined) throw new Error('len of nil pointer');
  throw new Error(`len of type ${kindName(item)}`);
}

function basicKind(value: Value): string {
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  if (value === null || value === undefined) return 'nil';
  return typeof value;
}

function equal(first: Value, ...others: Value[]): boolean {
  if (others.length === 0) throw new Error('missing argument for comparison');
  for (const other of others) {
    const left = basicKind(first);
    const right = basicKind(other);
    if (left !== right) {
      if (left === 'nil' || right === 'nil') continue;
      throw new Error('incompatible types for comparison');
    }
    if (left === 'int' ? BigInt(first as number) === BigInt(other as number) : first === other) return true;
    if (left === 'nil') return true;
  }
  return false;
}

function less(left: Value, right: Value): boolean {
  const kind = basicKind(left);
  if (kind !== basicKind(right)) throw new Error('incompatible types for comparison');
  if (kind === 'string') return Buffer.compare(Buffer.from(left as string), Buffer.from(right as string)) < 0;
  if (kind !== 'int' && kind !== 'float') throw new Error('invalid type for comparison');
  return (left as number) < (right as number);
}

/** `fmt.Sprint`: a space stands between two operands when neither is a string. */
export function sprint(...args: Value[]): string {
  let out = '';
  args.forEach((arg, place) => {
    if (place > 0 && typeof arg !== 'string' && typeof args[place - 1] !== 'string') out += ' ';
    out += formatValue(arg ?? null);
  });
  return out;
}

const evaluated = (args: Value[]): string =>
  args.length === 1 && typeof args[0] === 'string' ? args[0] : sprint(...args);

function escapeHtml(...args: Value[]): string {
  const names: Record<string, string> = {
    '<': '&lt;',
    '>': '&gt;',
    '&': '&amp;',
    '"': '&#34;',
    "'": '&#39;',
    '\0': '\ufffd',
  };
  return evaluated(args).replace(/[<>&"'\0]/g, (char) => names[char] ?? char);
}

function escapeJs(...args: Value[]): string {
  const named: Record<string, string> = {
    '\\': '\\\\',
    "'": "\\'",
    '"': '\\"',
    '<': '\\u003C',
    '>': '\\u003E',
    '&': '\\u0026',
    '=': '\\u003D',
  };
  return evaluated(args).replace(
    /[\\'"<>&=\u0000-\u001f\u007f]/g,
    (char) => named[char] ?? `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
  );
}

function urlQuery(...args: Value[]): string {
  return encodeURIComponent(evaluated(args))
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Go's predefined functions, without `and` and `or`, which the evaluator short-circuits. */
const GO_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  index,
  slice,
  len,
  not: (value) => !truth(value),
  eq: equal,
  ne: (left, right) => !equal(left, right),
  lt: less,
  le: (left, right) => less(left, right) || equal(left, right),
  gt: (left, right) => less(right, left),
  ge: (left, right) => !less(left, right),
  print: sprint,
  println: (...args) => `${args.map((arg) => formatValue(arg)).join(' ')}\n`,
  printf: (format, ...args) => sprintf(text(format), args),
  html: escapeHtml,
  js: escapeJs,
  urlquery: urlQuery,
  call: () => {
    throw new Error('call of nil');
  },
};

/** Docker's additions. */
const DOCKER_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  json: (value) => toJson(value),
  split: (value, separator) =>
    text(separator) === '' ? [...text(value)] : text(value).split(text(separator)),
  join: (list, separator) => strings(list).join(text(separator)),
  title: (value) =>
    text(value).replace(
      /(^|[^\p{L}\p{N}_'])(\p{L})/gu,
      (_all, before: string, letter: string) => before + letter.toUpperCase(),
    ),
  lower: (value) => text(value).toLowerCase(),
  upper: (value) => text(value).toUpperCase(),
  pad: (value, before, after) =>
    text(value) === '' ? text(value) : ' '.repeat(Number(before)) + text(value) + ' '.repeat(Number(after)),
  truncate: (value, length) =>
    text(value).length < Number(length) ? text(value) : text(value).slice(0, Number(length)),
};

function text(value: Value): string {
  if (typeof value === 'string') return value;
  throw new Error(`wrong type for value; expected string; got ${kindName(value)}`);
}

function strings(value: Value): string[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.map((item) => text(item));
  if (value instanceof Map) return sortedKeys(value);
  throw new Error(
    `wrong type for value; expected []string; got ${value instanceof Methods ? value.typeName : kindName(value)}`,
  );
}

/** Every function by name. */
export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map(
  Object.entries({ ...GO_FUNCTIONS, ...DOCKER_FUNCTIONS }),
);

/** The functions as a table's header row uses them: the words stay, changes of case and cutting apply. */
export const HEADER_FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map([
  ...FUNCTIONS,
  ...['json', 'title', 'lower', 'upper', 'truncate', 'split', 'join'].map(
    (name): [string, TemplateFunction] => [
      name,
      (...args) => args.find((arg) => typeof arg === 'string') ?? '',
    ],
  ),
]);
