import { quote } from './quote.ts';

/**
 * What a template works on. A `Map` is Go's map (keys in order, missing keys allowed); a plain object is a
 * struct (fields are fixed, printed in order without names); a `Methods` object answers by name.
 */
export type Value =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Value[]
  | Map<string, Value>
  | Methods
  | Timestamp
  | StructValue;

/** Names of a struct's fields that are empty, and left out of its JSON. */
export const OMITTED: unique symbol = Symbol('omitted');

/** A Go struct. */
export interface StructValue {
  [field: string]: Value;
  [OMITTED]?: ReadonlySet<string>;
}

/** A moment: printed as Go prints it, and in JSON as it came. */
export class Timestamp {
  readonly shown: string;
  readonly json: string;

  constructor(shown: string, json: string) {
    this.shown = shown;
    this.json = json;
  }
}

/** An object whose fields are computed when asked, as the rows of a table are. */
export class Methods {
  /** The Go type named in errors. */
  readonly typeName: string;
  readonly members: ReadonlyMap<string, (...args: Value[]) => Value>;

  constructor(typeName: string, members: ReadonlyMap<string, (...args: Value[]) => Value>) {
    this.typeName = typeName;
    this.members = members;
  }
}

/** A list that is nil: it prints as an empty one, and as null in JSON. */
export const NIL_LIST: Value[] = [];
/** A map that is nil: it prints as an empty one, and as null in JSON. */
export const NIL_MAP: Map<string, Value> = new Map();

/** A struct, rather than an array, a map or a scalar. */
export function isStruct(value: Value): value is StructValue {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Map) &&
    !(value instanceof Methods) &&
    !(value instanceof Timestamp)
  );
}

/** The keys of a map in the order in which templates visit and print them. */
export function sortedKeys(map: ReadonlyMap<string, Value>): string[] {
  return [...map.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Go's truth: false, 0, nil and whatever is empty are false; a struct is always true. */
export function truth(value: Value): boolean {
  if (value === null || value === undefined || value === false || value === 0 || value === 0n || value === '')
    return false;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  return true;
}

/** A value as Go's `%v` prints it; `quoted` strings are those of `%q`. */
export function formatValue(value: Value, quoted = false): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (typeof value === 'string') return quoted ? quote(value) : value;
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => formatValue(item, quoted)).join(' ')}]`;
  if (value instanceof Map) {
    const pairs = sortedKeys(value).map(
      (key) => `${quoted ? quote(key) : key}:${formatValue(value.get(key), quoted)}`,
    );
    return `map[${pairs.join(' ')}]`;
  }
  if (value instanceof Timestamp) return value.shown;
  if (value instanceof Methods) return '{}';
  return `{${Object.values(value)
    .map((item) => formatValue(item, quoted))
    .join(' ')}}`;
}

/** `%v` of a number: integers plainly, others as the shortest text that reads back, exponents from 1e21. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** Go's kind of a value, for error texts. */
export function kindName(value: Value): string {
  if (value === null || value === undefined) return 'untyped nil';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'bigint') return 'int64';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (Array.isArray(value)) return '[]interface {}';
  if (value instanceof Map) return 'map[string]interface {}';
  if (value instanceof Timestamp) return 'time.Time';
  return value instanceof Methods ? value.typeName : 'struct';
}
