import { TemplateError } from './error.ts';
import { evaluate } from './evaluate.ts';
import { FUNCTIONS, HEADER_FUNCTIONS } from './functions.ts';
import { parseTemplate } from './parser.ts';
import type { Value } from './values.ts';

export { TemplateError } from './error.ts';
export { indentJson, jsonString, parseJson, toJson } from './json.ts';
export { quote } from './quote.ts';
export {
  formatValue,
  Methods,
  NIL_LIST,
  NIL_MAP,
  OMITTED,
  type StructValue,
  Timestamp,
  type Value,
} from './values.ts';

const NAMES: ReadonlySet<string> = new Set([...FUNCTIONS.keys(), 'and', 'or']);

/** A template ready to be applied. */
export interface CompiledTemplate {
  /** The text for one value. Throws TemplateError of stage `execute`. */
  apply(data: Value): string;
  /** The text for the words of a table's header row. */
  header(words: Value): string;
}

/** Reads a Go template with Docker's functions. Throws TemplateError of stage `parse`. */
export function compileTemplate(source: string): CompiledTemplate {
  const template = parseTemplate(source, NAMES);
  return {
    apply: (data) => evaluate(template, data, FUNCTIONS),
    header: (words) => evaluate(template, words, HEADER_FUNCTIONS),
  };
}

/** True when the thrown value is an error of a template. */
export function isTemplateError(thrown: unknown): thrown is TemplateError {
  return thrown instanceof TemplateError;
}
