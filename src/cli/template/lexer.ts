import { TemplateError } from './error.ts';

/** What a token is; the names follow the grammar of Go's text/template. */
export type TokenKind =
  | 'text'
  | 'open' // {{
  | 'close' // }}
  | 'field' // .Name
  | 'dot'
  | 'variable'
  | 'identifier'
  | 'string'
  | 'char'
  | 'number'
  | 'pipe'
  | 'declare' // :=
  | 'assign' // =
  | 'comma'
  | 'paren-open'
  | 'paren-close'
  | 'space'
  | 'end';

/** One token with its place; `column` is the byte offset in its line, as Go reports it. */
export interface Token {
  kind: TokenKind;
  text: string;
  line: number;
  column: number;
}

const PATTERNS: readonly [TokenKind, RegExp][] = [
  ['space', /[ \t\r\n]+/y],
  ['field', /\.[\p{L}_][\p{L}\p{Nd}_]*/uy],
  [
    'number',
    /[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)/y,
  ],
  ['dot', /\./y],
  ['variable', /\$[\p{L}\p{Nd}_]*/uy],
  ['identifier', /[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ['string', /"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\[^\n])+'/y],
  ['declare', /:=/y],
  ['assign', /=/y],
  ['pipe', /\|/y],
  ['comma', /,/y],
  ['paren-open', /\(/y],
  ['paren-close', /\)/y],
];

/** Splits a template into tokens in one pass. Throws TemplateError with Go's text for what cannot be read. */
export class Lexer {
  readonly tokens: Token[] = [];
  private readonly source: string;
  private at = 0;
  private line = 1;
  private lineStart = 0;

  constructor(source: string) {
    this.source = source;
  }

  /** All tokens, closed by one of kind `end`. */
  run(): Token[] {
    while (this.at < this.source.length) this.text();
    this.push('end', '');
    return this.tokens;
  }

  private text(): void {
    const { source } = this;
    const open = source.indexOf('{{', this.at);
    const stop = open < 0 ? source.length : open;
    const trimNext = open >= 0 && source[open + 2] === '-' && /\s/.test(source[open + 3] ?? '');
    const raw = source.slice(this.at, stop);
    const text = trimNext ? raw.trimEnd() : raw;
    if (text !== '') this.push('text', text);
    this.advance(stop);
    if (open < 0) return;
    if (this.comment(open + (trimNext ? 4 : 2))) return;
    this.push('open', '{{');
    this.advance(open + (trimNext ? 3 : 2));
    this.action();
  }

  /** Skips a comment action; true when there was one. */
  private comment(start: number): boolean {
    if (!this.source.startsWith('/*', start)) return false;
    const end = this.source.indexOf('*/', start);
    if (end < 0) throw this.error('unclosed comment');
    const close = /\s+-\}\}\s*|\}\}/y;
    close.lastIndex = end + 2;
    if (!close.test(this.source)) throw this.error('comment ends before closing delimiter');
    this.advance(close.lastIndex);
    return true;
  }

  private action(): void {
    let depth = 0;
    for (;;) {
      const close = /(\s+-)?\}\}/y;
      close.lastIndex = this.at;
      const closed = close.exec(this.source);
      if (closed) {
        if (depth > 0) throw this.error('unclosed left paren');
        this.push('close', closed[0]);
        this.advance(close.lastIndex);
        if (closed[1] !== undefined) this.skipBlank();
        return;
      }
      if (this.at >= this.source.length) throw this.error('unclosed action');
      const kind = this.actionToken();
      if (kind === 'paren-open') depth++;
      if (kind === 'paren-close' && --depth < 0) throw this.error('unexpected right paren');
    }
  }

  private actionToken(): TokenKind {
    for (const [kind, pattern] of PATTERNS) {
      pattern.lastIndex = this.at;
      const match = pattern.exec(this.source);
      if (!match) continue;
      this.push(kind, match[0]);
      this.advance(pattern.lastIndex);
      return kind;
    }
    const char = String.fromCodePoint(this.source.codePointAt(this.at) ?? 0);
    if (char === '"') throw this.error('unterminated quoted string');
    if (char === '`') throw this.error('unterminated raw quoted string');
    if (char === "'") throw this.error('unterminated character constant');
    if (char === ':') throw this.error('expected :=');
    const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    throw this.error(
      `unexpected bad character U+${code} '${char}' in command`,
      `unrecognized character in action: U+${code} '${char}'`,
    );
  }

  private skipBlank(): void {
    const blank = /\s*/y;
    blank.lastIndex = this.at;
    blank.test(this.source);
    this.advance(blank.lastIndex);
  }

  private push(kind: TokenKind, text: string): void {
    this.tokens.push({ kind, text, line: this.line, column: this.at - this.lineStart });
  }

  private advance(to: number): void {
    for (
      let next = this.source.indexOf('\n', this.at);
      next >= 0 && next < to;
      next = this.source.indexOf('\n', next + 1)
    ) {
      this.line++;
      this.lineStart = next + 1;
    }
    this.at = to;
  }

  private error(_short: string, text = _short): TemplateError {
    return new TemplateError('parse', `:${this.line}: ${text}`);
  }
}
