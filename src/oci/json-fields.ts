import { WharfError } from '../base/index.ts';

/** An object out of untrusted JSON: nothing about its fields is known yet. */
export type JsonObject = { [key: string]: unknown };

const MAX_DEPTH = 64;

/**
 * Reads one JSON object from untrusted bytes. Errors: `invalid` when it is larger than `maxBytes`, not UTF-8, not JSON,
 * not an object, or nested deeper than 64 (writing it again would exhaust the stack).
 */
export function parseJsonObject(bytes: Uint8Array, what: string, maxBytes: number): JsonObject {
  if (bytes.byteLength > maxBytes) refuse(what, `it has ${bytes.byteLength} bytes, more than ${maxBytes}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (thrown) {
    throw new WharfError('invalid', `invalid ${what}: it is not JSON`, { cause: thrown });
  }
  if (depthOf(parsed) > MAX_DEPTH) refuse(what, `it is nested more than ${MAX_DEPTH} deep`);
  return object(parsed, what);
}

/** Throws `invalid`: "invalid <what>: <why>". */
export function refuse(what: string, why: string): never {
  throw new WharfError('invalid', `invalid ${what}: ${why}`);
}

/** The value as an object, or `invalid`. */
export function object(value: unknown, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(what, 'an object is needed');
  return value as JsonObject;
}

/** The value as an array of at most `max` items, or `invalid`. */
export function array(value: unknown, what: string, max: number): unknown[] {
  if (!Array.isArray(value)) refuse(what, 'an array is needed');
  if (value.length > max) refuse(what, `it has ${value.length} items, more than ${max}`);
  return value;
}

/** The value as a string of at most `max` characters, or `invalid`. */
export function string(value: unknown, what: string, max = 4096): string {
  if (typeof value !== 'string') refuse(what, 'a string is needed');
  if (value.length > max) refuse(what, `it has ${value.length} characters, more than ${max}`);
  return value;
}

/** Checks that a field, when there and not null, passes `check`. Go writes null for empty maps and slices. */
export function optional(
  from: JsonObject,
  key: string,
  what: string,
  check: (value: unknown, what: string) => unknown,
): void {
  const value = from[key];
  if (value !== undefined && value !== null) check(value, `${what}.${key}`);
}

/** The value as an array of strings, or `invalid`. */
export function strings(value: unknown, what: string): string[] {
  for (const item of array(value, what, 10_000)) string(item, what, 1 << 20);
  return value as string[];
}

/** The value as a map of strings, or `invalid`. */
export function stringMap(value: unknown, what: string): Record<string, string> {
  for (const item of Object.values(object(value, what))) string(item, what, 1 << 20);
  return value as Record<string, string>;
}

/** The value as a map whose values are objects, as ExposedPorts and Volumes are, or `invalid`. */
export function objectMap(value: unknown, what: string): Record<string, object> {
  for (const item of Object.values(object(value, what))) if (item !== null) object(item, what);
  return value as Record<string, object>;
}

/** The value as a whole number that JavaScript holds exactly, or `invalid`. */
export function integer(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value)) refuse(what, 'a whole number is needed');
  return value as number;
}

/** The value as true or false, or `invalid`. */
export function boolean(value: unknown, what: string): boolean {
  if (typeof value !== 'boolean') refuse(what, 'true or false is needed');
  return value;
}

function depthOf(root: unknown): number {
  let level: unknown[] = [root];
  for (let depth = 0; ; depth += 1) {
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value === 'object' && value !== null)
        for (const item of Object.values(value)) next.push(item);
    }
    if (next.length === 0 || depth > MAX_DEPTH) return depth;
    level = next;
  }
}
