import { WharfError } from '../base/index.ts';
import { NAMED, STRUCTS } from './go-types.ts';
import { numberSource, parseJson } from './json-text.ts';

/** Where in the document the decoder is, for error texts. */
interface Place {
  readonly text: string;
  /** Struct name that Go puts before the first dot; empty for anonymous ones. */
  readonly root: string;
  readonly path: string[];
}

interface Decoder {
  decode(value: unknown, place: Place): unknown;
  /** What a `null` element of a list or a map becomes. */
  readonly zero: () => unknown;
}

const INTEGERS: Record<string, [number, number]> = {
  int: [-(2 ** 63), 2 ** 63],
  int64: [-(2 ** 63), 2 ** 63],
  uint: [0, 2 ** 64],
  uint64: [0, 2 ** 64],
  uint32: [0, 2 ** 32 - 1],
  uint16: [0, 2 ** 16 - 1],
};

/** The one fault that Docker names without a prefix. */
const TRAILING = 'unexpected content after JSON';

const compiled = new Map<string, Decoder>();

/**
 * Decodes untrusted JSON text into the Go type of that name as Go's `encoding/json` does: keys in any case, unknown ones
 * ignored, `null` is absence, a later key wins, numbers must fit. Fails with `invalid` and Go's text.
 * @param root struct name in error texts.
 */
export function decodeJson(text: string, goType: string, root = ''): unknown {
  try {
    if (text.trim() === '') throw new WharfError('invalid', 'got EOF while reading request body');
    const value = parseJson(text);
    return value === null ? {} : decoderFor(goType).decode(value, { text, root, path: [] });
  } catch (thrown) {
    if (!(thrown instanceof WharfError) || thrown.message === TRAILING) throw thrown;
    throw new WharfError(thrown.kind, `invalid JSON: ${thrown.message}`, { cause: thrown });
  }
}

function decoderFor(goType: string): Decoder {
  const known = compiled.get(goType);
  if (known) return known;
  const made = compile(goType);
  compiled.set(goType, made);
  return made;
}

function compile(goType: string, shown = goType): Decoder {
  const named = NAMED[goType];
  if (named !== undefined) return compile(named, shown);
  if (goType === 'string') return scalar('string', shown, '');
  if (goType === 'bool') return scalar('boolean', shown, false);
  if (goType === 'strslice') return strSlice();
  const range = INTEGERS[goType];
  if (range) return integer(range, shown);
  if (goType.startsWith('map[string]')) return mapOf(goType.slice('map[string]'.length), shown);
  const list = /^\[(\d*)\](.+)$/.exec(goType);
  if (list) return listOf(list[2]!, shown, list[1] ? Number(list[1]) : undefined);
  if (goType.startsWith('*')) return { ...compile(goType.slice(1)), zero: () => null };
  return structOf(goType, shown);
}

function scalar(jsType: 'string' | 'boolean', shown: string, zero: string | boolean): Decoder {
  return {
    zero: () => zero,
    decode(value, place) {
      if (typeof value !== jsType) refuse(value, shown, place);
      return value;
    },
  };
}

function integer([least, most]: [number, number], shown: string): Decoder {
  return {
    zero: () => 0,
    decode(value, place) {
      if (typeof value !== 'number') refuse(value, shown, place);
      if (!Number.isInteger(value) || value < least || value > most) {
        refuse(value, shown, place, `number ${numberSource(place.text, value)}`);
      }
      return value;
    },
  };
}

function listOf(element: string, shown: string, fixed: number | undefined): Decoder {
  return {
    zero: () => null,
    decode(value, place) {
      if (!Array.isArray(value)) refuse(value, shown, place);
      // Go would hold a nil pointer for `null`; an empty struct says the same to all who read it.
      const decoder = decoderFor(element.replace(/^\*/, ''));
      const kept = fixed === undefined ? value : value.slice(0, fixed);
      const list = kept.map((item: unknown, index) => {
        if (item === null) return decoder.zero();
        place.path.push(String(index));
        const decoded = decoder.decode(item, place);
        place.path.pop();
        return decoded;
      });
      while (fixed !== undefined && list.length < fixed) list.push(decoder.zero());
      return list;
    },
  };
}

/** A list that clients may also write as one string. */
function strSlice(): Decoder {
  return {
    zero: () => null,
    decode(value, place) {
      const list = Array.isArray(value) ? value : [value];
      return list.map((item: unknown) => {
        if (item === null) return '';
        if (typeof item !== 'string') refuse(value, 'string', { ...place, path: [] });
        return item;
      });
    },
  };
}

function mapOf(element: string, shown: string): Decoder {
  return {
    zero: () => null,
    decode(value, place) {
      if (!isObject(value)) refuse(value, shown, place);
      const decoder = decoderFor(element);
      const map: Record<string, unknown> = {};
      for (const [key, item] of Object.entries(value)) {
        place.path.push(key);
        setOwn(map, key, item === null ? decoder.zero() : decoder.decode(item, place));
        place.path.pop();
      }
      return map;
    },
  };
}

function structOf(goType: string, shown: string): Decoder {
  const fields = fieldsOf(goType);
  const anyCase = new Map([...fields].map(([name, type]) => [name.toLowerCase(), { name, type }]));
  return {
    zero: () => ({}),
    decode(value, place) {
      if (!isObject(value)) refuse(value, shown, place);
      const result: Record<string, unknown> = {};
      for (const [key, item] of Object.entries(value)) {
        const field = anyCase.get(key.toLowerCase());
        if (field === undefined || item === null) continue;
        place.path.push(key);
        result[field.name] = decoderFor(field.type).decode(item, place);
        place.path.pop();
      }
      return result;
    },
  };
}

function fieldsOf(goType: string): Map<string, string> {
  if (goType === 'struct {}') return new Map();
  const declared = STRUCTS[goType];
  if (declared === undefined) throw new WharfError('internal', `no shape is known for ${goType}`);
  const fields = new Map<string, string>();
  for (const [name, type] of Object.entries(declared)) {
    if (name === '...') for (const [inner, innerType] of fieldsOf(type)) fields.set(inner, innerType);
    else fields.set(name, type);
  }
  return fields;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sets also `__proto__` as a plain property. */
function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') target[key] = value;
  else Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

function refuse(value: unknown, goType: string, place: Place, what = kindOf(value)): never {
  const last = place.path.at(-1);
  const where = `${place.root}.${place.path.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('.')}`;
  // Go names a struct field unless the value is an element of a list.
  const into = last === undefined ? 'Go value' : /^\d+$/.test(last) ? where : `Go struct field ${where}`;
  throw new WharfError('invalid', `json: cannot unmarshal ${what} into ${into} of type ${goType}`);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
