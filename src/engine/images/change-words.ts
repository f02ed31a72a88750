import { WharfError } from '../../base/index.ts';

/** A name, the digits of a positional one, or one of the shell's own. */
const NAME = /^(?:[A-Za-z_]\w*|\d+|[@*#?$!-])/;
const MISSING_BRACE = "syntax error: missing '}'";
/** What a backslash takes the meaning of between double quotes; elsewhere there it stays. */
const ESCAPED_IN_QUOTES = new Set(['"', '$', '\\']);

/**
 * Splits into words as instructions of a Dockerfile are read, each expanded. Errors: as of `oneWord`.
 */
export function words(text: string, env: readonly string[] = []): string[] {
  return rawWords(text).map((word) => oneWord(word, env));
}

/** Splits at blanks that no quote and no backslash keeps; both are still there. */
export function rawWords(text: string): string[] {
  return text.match(/(?:\\.|"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|[^\s"'\\]|\\$)+/gs) ?? [];
}

/**
 * One word, in which blanks are kept: quotes group and are removed, a backslash keeps the next character, `$name`, `${name}` and
 * `${name:-else}` with any of `-`, `+`, `?` and with or without the colon stand for values of `env` except in single quotes
 * (Dockerfile reference, "Environment replacement"). Errors: `invalid`, in Docker's words, also for `${name#…}`, `%` and `/`.
 */
export function oneWord(text: string, env: readonly string[] = []): string {
  try {
    return new Word(text, env).read('');
  } catch (thrown) {
    throw new WharfError(
      'invalid',
      `failed to process ${JSON.stringify(text)}: ${(thrown as Error).message}`,
    );
  }
}

class Word {
  private readonly text: string;
  private readonly env: readonly string[];
  private at = 0;

  constructor(text: string, env: readonly string[]) {
    this.text = text;
    this.env = env;
  }

  /** Up to one of these characters outside of quotes, or to the end. */
  read(stops: string): string {
    let out = '';
    while (this.at < this.text.length) {
      const char = this.text[this.at] as string;
      if (stops.includes(char)) break;
      this.at += 1;
      if (char === "'") out += this.singleQuoted();
      else if (char === '"') out += this.doubleQuoted();
      else if (char === '$') out += this.reference();
      else if (char === '\\' && this.at < this.text.length) out += this.text[this.at++];
      else out += char;
    }
    return out;
  }

  private singleQuoted(): string {
    const end = this.text.indexOf("'", this.at);
    if (end < 0) throw new Error('unexpected end of statement while looking for matching single-quote');
    const inside = this.text.slice(this.at, end);
    this.at = end + 1;
    return inside;
  }

  private doubleQuoted(): string {
    let out = '';
    while (this.at < this.text.length) {
      const char = this.text[this.at++] as string;
      const next = this.text[this.at] ?? '';
      if (char === '"') return out;
      if (char === '$') out += this.reference();
      else if (char === '\\' && ESCAPED_IN_QUOTES.has(next)) {
        out += next;
        this.at += 1;
      } else out += char;
    }
    throw new Error('unexpected end of statement while looking for matching double-quote');
  }

  /** What stands behind a dollar sign. */
  private reference(): string {
    if (this.text[this.at] === '{') {
      this.at += 1;
      return this.braced();
    }
    const name = this.name();
    return name === '' ? '$' : (this.value(name) ?? '');
  }

  private braced(): string {
    const name = this.name();
    if (name === '')
      throw new Error(this.at < this.text.length ? 'syntax error: bad substitution' : MISSING_BRACE);
    const value = this.value(name);
    let operator = this.text[this.at++];
    if (operator === '}') return value ?? '';
    const colon = operator === ':';
    if (colon) operator = this.text[this.at++];
    if (operator === undefined) throw new Error(MISSING_BRACE);
    if (!'+-?'.includes(operator))
      throw new Error(`unsupported modifier (${colon ? ':' : ''}${operator}) in substitution`);
    const word = this.read('}');
    if (this.text[this.at++] !== '}') throw new Error(MISSING_BRACE);
    const isSet = value !== undefined && !(colon && value === '');
    if (operator === '+') return isSet ? word : '';
    if (isSet) return value;
    if (operator === '-') return word;
    throw new Error(`${name}: ${word || `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`}`);
  }

  private name(): string {
    const name = NAME.exec(this.text.slice(this.at, this.at + 256))?.[0] ?? '';
    this.at += name.length;
    return name;
  }

  private value(name: string): string | undefined {
    return this.env.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  }
}
