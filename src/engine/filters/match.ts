import type { Filters } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { compileExpression } from './expression.ts';

/** Refuses filter keys that the request does not have, with Docker's text. Errors: `invalid`. */
export function checkFilterKeys(filters: Filters, known: ReadonlySet<string>): void {
  for (const key of filters.keys()) {
    if (!known.has(key)) throw new WharfError('invalid', `invalid filter '${key}'`);
  }
}

/** True when every `label` filter (`key` or `key=value`) holds for these labels, and no `label!` filter does. */
export function matchLabels(filters: Filters, labels: Readonly<Record<string, string>>): boolean {
  const holds = (filter: string) => {
    const equals = filter.indexOf('=');
    if (equals < 0) return Object.hasOwn(labels, filter);
    const key = filter.slice(0, equals);
    return Object.hasOwn(labels, key) && labels[key] === filter.slice(equals + 1);
  };
  const wanted = filters.get('label') ?? [];
  const unwanted = filters.get('label!') ?? [];
  return wanted.every(holds) && !unwanted.some(holds);
}

/**
 * True when there is no such filter, or one of its patterns is found in one of the texts. Patterns are regular
 * expressions as in Docker; one that is malformed or too large matches nothing. No pattern can take long.
 */
export function matchPattern(filters: Filters, key: string, texts: readonly string[]): boolean {
  const patterns = filters.get(key);
  if (!patterns || patterns.length === 0) return true;
  return patterns.some((pattern) => texts.some(tester(pattern)));
}

/** True when the pattern is found in that text; see `matchPattern`. */
export function matchesText(pattern: string, text: string): boolean {
  return tester(pattern)(text);
}

const testers = new Map<string, (text: string) => boolean>();

function tester(pattern: string): (text: string) => boolean {
  const known = testers.get(pattern);
  if (known) return known;
  const made = makeTester(pattern);
  if (testers.size > 100) testers.clear();
  testers.set(pattern, made);
  return made;
}

function makeTester(pattern: string): (text: string) => boolean {
  if (!/[\\^$.*+?()[\]{}|]/.test(pattern)) return (text) => text.includes(pattern);
  return compileExpression(pattern) ?? (() => false);
}

/**
 * The one boolean of a filter: undefined when it is absent. As in Docker `1` and `true` say yes, `0` and `false` no, and
 * other words beside them nothing. Errors: `invalid` when it says both or neither.
 */
export function booleanFilter(filters: Filters, key: string): boolean | undefined {
  const values = filters.get(key);
  if (!values || values.length === 0) return undefined;
  const says = (...words: string[]) => values.some((value) => words.includes(value));
  const yes = says('1', 'true');
  if (yes === says('0', 'false'))
    throw new WharfError('invalid', `invalid filter '${key}=[${values.join(' ')}]'`);
  return yes;
}

/** Go's ParseBool; undefined for what is none. */
export function parseBoolean(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  return undefined;
}
