import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** The repository's top folder. */
export const ROOT = join(import.meta.dirname, '..', '..');

/** One import or re-export of a file. */
export interface Import {
  /** As written. */
  specifier: string;
  /** Path from the repository's top for relative ones, undefined for packages. */
  target: string | undefined;
  typeOnly: boolean;
  line: number;
}

/** A source file, read once. */
export interface SourceFile {
  /** From the repository's top: `src/base/index.ts`. */
  path: string;
  text: string;
  /** The text with comments, strings, templates and regular expressions blanked; lines and columns are kept. */
  code: string;
  lines: number;
  imports: Import[];
}

/** TypeScript files below the folders, in order of their paths. Generated wire types count as data and are left out of budgets by their callers. */
export function sourceFiles(...folders: string[]): SourceFile[] {
  return folders.flatMap((folder) => paths(join(ROOT, folder), /\.ts$/)).map(load);
}

/** Paths of files below a folder whose name fits; a folder that is not there has none. */
export function paths(folder: string, name: RegExp): string[] {
  let entries: import('node:fs').Dirent[];
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('/node_modules/'))
    .sort();
}

function load(file: string): SourceFile {
  const text = readFileSync(file, 'utf8');
  const path = relative(ROOT, file);
  const code = blank(text, true);
  return { path, text, code, lines: text.split('\n').length - 1, imports: importsOf(path, text, code) };
}

/** Fails with the offending places, one a line. */
export function assertNone(offending: readonly string[]): void {
  assert.equal(offending.length, 0, `${offending.length} found:\n${offending.join('\n')}`);
}

/** True for tests and what only tests use. */
export function isTest({ path }: { path: string }): boolean {
  return /\.(test|cases)\.ts$|(^|\/)suite\.ts$|(^|\/)fake-[\w-]+\.ts$|(^|\/)testing\/|^tests\//.test(path);
}

function importsOf(path: string, text: string, code: string): Import[] {
  const found: Import[] = [];
  // In `code` the specifier is blank but its place is known, so that a text that looks like an import is none.
  const pattern = /^(import|export)\b(\s+type\b)?([^;]*?\bfrom\b|)\s*(['"])/gm;
  for (const match of code.matchAll(pattern)) {
    const quote = match.index + match[0].length - 1;
    const specifier = text.slice(quote + 1, text.indexOf(text[quote]!, quote + 1));
    const names = /\{([^}]*)\}/.exec(match[3] ?? '')?.[1];
    const clause = (match[3] ?? '').replace(/\{[^}]*\}/, '');
    const allTypes =
      names !== undefined && /^[\s,]*(from)?\s*$/.test(clause) && names.trim() !== ''
        ? names.split(',').every((name) => name.trim() === '' || /^\s*type\s/.test(name))
        : false;
    found.push(makeImport(path, specifier, match[2] !== undefined || allTypes, lineOf(text, match.index)));
  }
  for (const match of code.matchAll(/\bimport\(\s*(['"])/g)) {
    const quote = match.index + match[0].length - 1;
    const specifier = text.slice(quote + 1, text.indexOf(text[quote]!, quote + 1));
    // `import('x').Name` in a type is erased; an awaited one is loaded, but later: it closes no cycle at start.
    found.push(makeImport(path, specifier, true, lineOf(text, match.index)));
  }
  return found;
}

function makeImport(path: string, specifier: string, typeOnly: boolean, line: number): Import {
  const target = specifier.startsWith('.') ? join(dirname(path), specifier) : undefined;
  return { specifier, target, typeOnly, line };
}

/** Line number of a place in a text, from 1. */
export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** Blanks what is not code: comments always; literals (their quotes stay) when asked. */
export function blank(text: string, literals: boolean): string {
  const out: string[] = [];
  let at = 0;
  let last = '';
  while (at < text.length) {
    const end = tokenEnd(text, at, last);
    const piece = text.slice(at, end);
    const comment = piece.startsWith('//') || piece.startsWith('/*');
    const literal = piece.length > 1 && /^['"`/]/.test(piece) && !comment;
    if (comment) out.push(spaces(piece));
    else if (literal && literals) out.push(piece[0] + spaces(piece.slice(1, -1)) + piece.at(-1));
    else out.push(piece);
    if (!comment && piece.trim() !== '') last = /^\w+$/.test(piece) ? piece : piece.at(-1)!;
    at = end;
  }
  return out.join('');
}

function spaces(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

/** Where the token that starts at `at` ends; `last` is the token before, which tells a division from a regular expression. */
function tokenEnd(text: string, at: number, last: string): number {
  const two = text.slice(at, at + 2);
  if (two === '//') return indexOr(text, '\n', at);
  if (two === '/*') return indexOr(text, '*/', at + 2, 2);
  const char = text[at]!;
  if (char === "'" || char === '"') return quoteEnd(text, at, char);
  if (char === '`') return templateEnd(text, at);
  if (char === '/' && (last === '' || /^([(,=:[!&|?{};+\-*%~^<>]|return|typeof|case|of|in)$/.test(last)))
    return regexEnd(text, at);
  const word = /^\w+/.exec(text.slice(at, at + 200));
  return at + (word ? word[0].length : 1);
}

function indexOr(text: string, what: string, from: number, extra = 0): number {
  const found = text.indexOf(what, from);
  return found < 0 ? text.length : found + extra;
}

function quoteEnd(text: string, at: number, quote: string): number {
  let end = at + 1;
  while (end < text.length && text[end] !== quote && text[end] !== '\n') end += text[end] === '\\' ? 2 : 1;
  return end + 1;
}

function templateEnd(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && text[end] !== '`') {
    if (text.startsWith('${', end)) end = holeEnd(text, end + 2);
    else end += text[end] === '\\' ? 2 : 1;
  }
  return end + 1;
}

function holeEnd(text: string, at: number): number {
  let depth = 1;
  let end = at;
  let last = '(';
  while (end < text.length && depth > 0) {
    const next = tokenEnd(text, end, last);
    const piece = text.slice(end, next);
    if (piece === '{') depth += 1;
    if (piece === '}') depth -= 1;
    if (piece.trim() !== '') last = piece;
    end = next;
  }
  return end;
}

function regexEnd(text: string, at: number): number {
  let inClass = false;
  let end = at + 1;
  for (; end < text.length && text[end] !== '\n'; end++) {
    if (text[end] === '\\') end++;
    else if (text[end] === '[') inClass = true;
    else if (text[end] === ']') inClass = false;
    else if (text[end] === '/' && !inClass) return end + 1;
  }
  return end;
}
