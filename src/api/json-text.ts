import { WharfError } from '../base/index.ts';

/** Containers of JSON may nest this deep, as in Go's decoder. */
const MAX_DEPTH = 10_000;

/**
 * Parses untrusted JSON text. Fails with `invalid` and the text that Go's decoder gives for the same fault, which is what
 * Docker's clients show. White space alone is `unexpected EOF`.
 */
export function parseJson(text: string): unknown {
  // A text shorter than this cannot open and close too many containers.
  if (text.length > 2 * MAX_DEPTH && depthOf(text) > MAX_DEPTH) {
    throw new WharfError('invalid', 'exceeded max depth');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new WharfError('invalid', explainSyntaxError(text));
  }
}

/** The source text of the last number that parsed to `value`, so that an error can show `1e30` as it was sent. */
export function numberSource(text: string, value: number): string {
  let source = String(value);
  const reviver = (_key: string, held: unknown, context?: { source?: string }) => {
    if (held === value && context?.source !== undefined) source = context.source;
    return held;
  };
  JSON.parse(text, reviver);
  return source;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x5d || code === 0x7d) depth--;
  }
  return deepest;
}

class Fault extends Error {}

/** Walks the text as Go's scanner does and names the first fault. Runs only on texts that JSON.parse refused. */
export function explainSyntaxError(text: string): string {
  const scan = new Scanner(text);
  try {
    scan.space();
    scan.value();
    scan.space();
    return scan.ended() ? 'invalid JSON' : 'unexpected content after JSON';
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown.message;
    // The stack ends before Go's limit does.
    if (thrown instanceof RangeError) return 'exceeded max depth';
    throw thrown;
  }
}

class Scanner {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  ended(): boolean {
    return this.at >= this.text.length;
  }

  space(): void {
    while (' \t\r\n'.includes(this.text[this.at] ?? 'x')) this.at++;
  }

  /** Recursion is bounded by MAX_DEPTH: deeper texts were refused before. */
  value(): void {
    const next = this.peek();
    if (next === '{') this.object();
    else if (next === '[') this.array();
    else if (next === '"') this.string();
    else if (next === '-' || isDigit(next)) this.number();
    else if (next === 't') this.literal('true');
    else if (next === 'f') this.literal('false');
    else if (next === 'n') this.literal('null');
    else this.refuse('looking for beginning of value');
  }

  private object(): void {
    this.at++;
    this.space();
    if (this.peek() === '}') {
      this.at++;
      return;
    }
    for (;;) {
      this.space();
      if (this.peek() !== '"') this.refuse('looking for beginning of object key string');
      this.string();
      this.space();
      if (this.peek() !== ':') this.refuse('after object key');
      this.at++;
      this.space();
      this.value();
      this.space();
      const after = this.peek();
      if (after !== ',' && after !== '}') this.refuse('after object key:value pair');
      this.at++;
      if (after === '}') return;
    }
  }

  private array(): void {
    this.at++;
    this.space();
    if (this.peek() === ']') {
      this.at++;
      return;
    }
    for (;;) {
      this.space();
      this.value();
      this.space();
      const after = this.peek();
      if (after !== ',' && after !== ']') this.refuse('after array element');
      this.at++;
      if (after === ']') return;
    }
  }

  private string(): void {
    this.at++;
    for (;;) {
      const next = this.peek();
      if (next === '"') {
        this.at++;
        return;
      }
      if (next < ' ') this.refuse('in string');
      if (next !== '\\') this.at++;
      else this.escape();
    }
  }

  private escape(): void {
    const rest = this.text.slice(this.at, this.at + 6);
    const length = rest[1] === 'u' ? 6 : 2;
    if (rest.length < length && /^\\(u[0-9a-fA-F]*)?$/.test(rest)) throw new Fault('unexpected EOF');
    if (!/^\\(["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(rest)) {
      throw new Fault(`invalid escape sequence ${goQuote(rest.slice(0, length))} in string`);
    }
    this.at += length;
  }

  private number(): void {
    if (this.peek() === '-') this.at++;
    if (this.peek() === '0') this.at++;
    else this.digits();
    if (this.text[this.at] === '.') {
      this.at++;
      this.digits();
    }
    if (this.text[this.at] === 'e' || this.text[this.at] === 'E') {
      this.at++;
      if (this.text[this.at] === '+' || this.text[this.at] === '-') this.at++;
      this.digits();
    }
  }

  private digits(): void {
    if (!isDigit(this.peek())) this.refuse('in numeric literal');
    while (isDigit(this.text[this.at] ?? '')) this.at++;
  }

  private literal(word: string): void {
    for (const letter of word) {
      if (this.peek() !== letter) this.refuse(`in literal ${word} (expecting '${letter}')`);
      this.at++;
    }
  }

  private peek(): string {
    const next = this.text[this.at];
    if (next === undefined) throw new Fault('unexpected EOF');
    return next;
  }

  private refuse(where: string): never {
    throw new Fault(`invalid character ${quoteCharacter(this.text, this.at)} ${where}`);
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9' && character.length === 1;
}

function quoteCharacter(text: string, at: number): string {
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0xfffd);
  if (character === "'") return `'\\''`;
  if (character === '"') return `'"'`;
  return `'${goEscape(character)}'`;
}

/** In backquotes, as Go prefers it, unless the text holds what can't stand between them. */
function goQuote(text: string): string {
  return /[`\ufeff\x7f]|[^\t\P{Cc}]/u.test(text) ? `"${goEscape(text)}"` : `\`${text}\``;
}

const SHORT_ESCAPES: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** The text as Go's `strconv.Quote` writes it, without the quotation marks: only letters, marks, numbers, signs and ASCII blanks are shown. */
function goEscape(text: string): string {
  return Array.from(text, (character) => {
    if (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character) && !'"\\'.includes(character)) return character;
    const code = character.codePointAt(0) ?? 0;
    const [sign, digits] = code < 0x80 ? ['x', 2] : code < 0x10000 ? ['u', 4] : ['U', 8];
    return SHORT_ESCAPES[character] ?? `\\${sign}${code.toString(16).padStart(digits as number, '0')}`;
  }).join('');
}
