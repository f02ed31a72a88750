import { Methods, NIL_LIST, NIL_MAP, OMITTED, sortedKeys, Timestamp, type Value } from './values.ts';

/** A string as Go's encoder writes it: `<`, `>`, `&` and the line separators are escaped. */
export function jsonString(text: string): string {
  return JSON.stringify(text)
    .replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replaceAll('\\b', '\\u0008')
    .replaceAll('\\f', '\\u000c');
}

/** A value as Go's `json.Marshal` writes it; maps are sorted, structs keep their order. */
export function toJson(value: Value): string {
  if (value === null || value === undefined || value === NIL_LIST || value === NIL_MAP) return 'null';
  if (typeof value === 'string') return jsonString(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (value instanceof Map) {
    return `{${sortedKeys(value)
      .map((key) => `${jsonString(key)}:${toJson(value.get(key))}`)
      .join(',')}}`;
  }
  if (value instanceof Methods) {
    const names = [...value.members.keys()].sort();
    const pairs = names.filter((name) => (value.members.get(name)?.length ?? 0) === 0);
    return `{${pairs.map((name) => `${jsonString(name)}:${toJson(value.members.get(name)?.())}`).join(',')}}`;
  }
  if (value instanceof Timestamp) return jsonString(value.json);
  const omitted = value[OMITTED];
  const fields = Object.entries(value).filter(([key, item]) => item !== undefined && !omitted?.has(key));
  return `{${fields.map(([key, item]) => `${jsonString(key)}:${toJson(item)}`).join(',')}}`;
}

/**
 * Lays out JSON text with an indent, byte for byte as it came otherwise: order, numbers and escapes stay.
 * Runs once over the text. Source: Go's `json.Indent`.
 */
export function indentJson(text: string, prefix: string, indent: string): string {
  const out: string[] = [];
  const token = /\s+|"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;
  let depth = 0;
  let opened = false;
  const newline = () => out.push('\n', prefix, indent.repeat(depth));
  for (const [part] of text.matchAll(token)) {
    const first = part[0] ?? '';
    if (first === ' ' || first === '\n' || first === '\t' || first === '\r') continue;
    const closing = first === '}' || first === ']';
    if (opened && !closing) {
      depth++;
      newline();
    }
    if (closing) {
      if (!opened) {
        depth--;
        newline();
      }
      out.push(part);
    } else if (first === ',') {
      out.push(part);
      newline();
    } else if (first === ':') out.push(': ');
    else out.push(part);
    opened = first === '{' || first === '[';
  }
  return out.join('');
}

/** Reads JSON without losing digits: integers beyond 2^53 become bigint. */
export function parseJson(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    const source = context?.source ?? '';
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  });
}
