import type { Command, Node, Operand, Pipeline, Place, Template } from './ast.ts';
import { TemplateError } from './error.ts';
import { Lexer, type Token, type TokenKind } from './lexer.ts';
import { unquote } from './quote.ts';

const KEYWORDS = new Set([
  'if',
  'else',
  'end',
  'range',
  'with',
  'define',
  'template',
  'block',
  'break',
  'continue',
]);
/** Deeper nesting than people write is an attack on the stack. */
const MAX_DEPTH = 200;

/** Reads a template; `functions` are the names that may be called. Throws TemplateError of stage `parse`. */
export function parseTemplate(source: string, functions: ReadonlySet<string>): Template {
  return new Parser(new Lexer(source).run(), functions).template();
}

class Parser {
  private readonly tokens: Token[];
  private readonly functions: ReadonlySet<string>;
  private readonly defined = new Map<string, Node[]>();
  private variables: string[] = ['$'];
  private at = 0;
  private depth = 0;

  constructor(tokens: Token[], functions: ReadonlySet<string>) {
    this.tokens = tokens;
    this.functions = functions;
  }

  template(): Template {
    const { nodes, stop } = this.list();
    if (stop !== 'eof') throw this.error(`unexpected {{${stop}}}`);
    return { body: nodes, defined: this.defined };
  }

  /** Nodes up to `end`, `else` or the end of the text; says which stopped it. */
  private list(): { nodes: Node[]; stop: 'eof' | 'end' | 'else' } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.take();
      if (token.kind === 'end') return { nodes, stop: 'eof' };
      if (token.kind === 'text') {
        nodes.push({ type: 'text', text: token.text });
        continue;
      }
      this.skipSpace();
      const word = this.peek();
      if (word.kind === 'identifier' && KEYWORDS.has(word.text)) {
        this.take();
        if (word.text === 'end') {
          this.close('end');
          return { nodes, stop: 'end' };
        }
        if (word.text === 'else') return { nodes, stop: 'else' };
        this.keyword(word, nodes);
        continue;
      }
      nodes.push({ type: 'action', pipeline: this.pipeline('close', 'command') });
    }
  }

  private keyword(word: Token, nodes: Node[]): void {
    if (word.text === 'define') {
      this.define();
      return;
    }
    if (word.text === 'break' || word.text === 'continue') {
      this.close(word.text);
      nodes.push({ type: word.text });
      return;
    }
    if (word.text === 'template' || word.text === 'block') {
      nodes.push(this.call(word));
      return;
    }
    nodes.push(this.control(word.text as 'if' | 'with' | 'range'));
  }

  private control(type: 'if' | 'with' | 'range'): Node {
    if (++this.depth > MAX_DEPTH) throw this.error('template nests too deeply');
    const scope = this.variables.length;
    const pipeline = this.pipeline('close', type);
    const { nodes: body, stop } = this.list();
    let otherwise: Node[] = [];
    if (stop === 'else') otherwise = this.otherwise(type);
    else if (stop === 'eof') throw this.error('unexpected EOF');
    this.variables.length = scope;
    this.depth--;
    return { type, pipeline, body, otherwise };
  }

  private otherwise(type: 'if' | 'with' | 'range'): Node[] {
    this.skipSpace();
    const next = this.peek();
    if (type !== 'range' && next.kind === 'identifier' && next.text === type) {
      this.take();
      return [this.control(type)];
    }
    this.close('else');
    const { nodes, stop } = this.list();
    if (stop === 'eof') throw this.error('unexpected EOF');
    if (stop === 'else') throw this.error('expected end; found {{else}}');
    return nodes;
  }

  private define(): void {
    this.skipSpace();
    const name = this.expect('string', 'define clause');
    this.close('define clause');
    const saved = this.variables;
    this.variables = ['$'];
    const { nodes, stop } = this.list();
    this.variables = saved;
    if (stop !== 'end')
      throw this.error(stop === 'eof' ? 'unexpected EOF' : 'unexpected {{else}} in define clause');
    this.defined.set(unquote(name.text), nodes);
  }

  private call(word: Token): Node {
    this.skipSpace();
    const name = unquote(this.expect('string', `${word.text} clause`).text);
    const place = placeOf(word, `{{${word.text} ${JSON.stringify(name)}}}`);
    this.skipSpace();
    const bare = this.peek().kind === 'close';
    const pipeline = bare ? undefined : this.pipeline('close', word.text);
    if (bare) this.take();
    if (word.text === 'block') {
      const { nodes, stop } = this.list();
      if (stop !== 'end') throw this.error('unexpected EOF');
      this.defined.set(name, nodes);
    }
    return { type: 'template', name, pipeline, place };
  }

  private pipeline(until: TokenKind, context: string): Pipeline {
    if (++this.depth > MAX_DEPTH) throw this.error('template nests too deeply');
    this.skipSpace();
    const start = this.peek();
    const { variables, declares } = this.declaration(context);
    const commands: Command[] = [];
    for (;;) {
      this.skipSpace();
      const token = this.peek();
      if (token.kind === until) {
        this.take();
        if (commands.length === 0) throw this.error(`missing value for ${context}`);
        break;
      }
      commands.push(this.command(until, context));
    }
    for (const command of commands.slice(1)) {
      const first = command.operands[0];
      if (first && ['bool', 'dot', 'nil', 'number', 'string'].includes(first.type)) {
        throw this.error(`non executable command in pipeline stage ${commands.indexOf(command) + 1}`);
      }
    }
    this.depth--;
    if (declares) this.variables.push(...variables);
    const source = commands.map((command) => command.source).join(' | ');
    return { ...placeOf(start, source), variables, declares, commands };
  }

  private declaration(context: string): { variables: string[]; declares: boolean } {
    const start = this.at;
    const names: string[] = [];
    while (this.peek().kind === 'variable') {
      names.push(this.take().text);
      this.skipSpace();
      const next = this.take();
      if (next.kind === 'declare' || next.kind === 'assign')
        return { variables: names, declares: next.kind === 'declare' };
      if (next.kind !== 'comma' || context !== 'range' || names.length > 1) break;
      this.skipSpace();
    }
    this.at = start;
    return { variables: [], declares: true };
  }

  private command(until: TokenKind, context: string): Command {
    const operands: Operand[] = [];
    const start = this.peek();
    for (;;) {
      this.skipSpace();
      const token = this.peek();
      if (token.kind === 'pipe') {
        this.take();
        this.skipSpace();
        if (this.peek().kind === until) throw this.error(`missing value for ${context}`);
        break;
      }
      if (token.kind === until) break;
      operands.push(this.operand(context));
    }
    if (operands.length === 0) throw this.error('empty command');
    return { ...placeOf(start, operands.map((operand) => operand.source).join(' ')), operands };
  }

  private operand(context: string): Operand {
    const token = this.take();
    switch (token.kind) {
      case 'dot':
        return { ...placeOf(token, '.'), type: 'dot' };
      case 'field':
        return this.chain(token, { type: 'field', names: [token.text.slice(1)] }, token.text);
      case 'variable':
        if (!this.variables.includes(token.text)) throw this.error(`undefined variable "${token.text}"`);
        return this.chain(token, { type: 'variable', name: token.text, names: [] }, token.text);
      case 'string':
        return { ...placeOf(token, token.text), type: 'string', value: unquote(token.text) };
      case 'char':
        return {
          ...placeOf(token, token.text),
          type: 'number',
          value: unquote(token.text).codePointAt(0) ?? 0,
        };
      case 'number':
        return { ...placeOf(token, token.text), type: 'number', value: parseNumber(token.text) };
      case 'identifier':
        return this.word(token);
      case 'paren-open': {
        const pipeline = this.pipeline('paren-close', 'parenthesized pipeline');
        return this.chain(token, { type: 'pipeline', pipeline, names: [] }, `(${pipeline.source})`);
      }
      default:
        throw this.error(`unexpected ${describe(token)} in ${context === 'command' ? 'operand' : context}`);
    }
  }

  private word(token: Token): Operand {
    const place = placeOf(token, token.text);
    if (token.text === 'true' || token.text === 'false')
      return { ...place, type: 'bool', value: token.text === 'true' };
    if (token.text === 'nil') return { ...place, type: 'nil' };
    if (KEYWORDS.has(token.text)) throw this.error(`unexpected <${token.text}> in operand`);
    if (!this.functions.has(token.text))
      throw this.error(`function ${JSON.stringify(token.text)} not defined`);
    return { ...place, type: 'function', name: token.text };
  }

  /** Adds the fields that follow without a space. Go places a chain at its second part. */
  private chain(
    first: Token,
    node:
      | { type: 'field'; names: string[] }
      | { type: 'variable'; name: string; names: string[] }
      | { type: 'pipeline'; pipeline: Pipeline; names: string[] },
    text: string,
  ): Operand {
    let source = text;
    let place = first;
    while (this.peek().kind === 'field') {
      const token = this.take();
      if (place === first) place = token;
      node.names.push(token.text.slice(1));
      source += token.text;
    }
    return { ...placeOf(place, source), ...node };
  }

  private close(context: string): void {
    this.skipSpace();
    this.expect('close', context);
  }

  private expect(kind: TokenKind, context: string): Token {
    const token = this.take();
    if (token.kind !== kind) throw this.error(`unexpected ${describe(token)} in ${context}`);
    return token;
  }

  private skipSpace(): void {
    while (this.peek().kind === 'space') this.at++;
  }

  private peek(): Token {
    return this.tokens[this.at] ?? (this.tokens.at(-1) as Token);
  }

  private take(): Token {
    const token = this.peek();
    this.at++;
    return token;
  }

  private error(text: string): TemplateError {
    const token = this.tokens[Math.max(0, this.at - 1)] ?? this.peek();
    return new TemplateError('parse', `:${token.line}: ${text}`);
  }
}

function describe(token: Token): string {
  if (token.kind === 'end') return 'EOF';
  return KEYWORDS.has(token.text) ? `<${token.text}>` : JSON.stringify(token.text);
}

function placeOf(token: Token, source: string): Place {
  return { line: token.line, column: token.column, source };
}

function parseNumber(text: string): number | bigint {
  const digits = text.replaceAll('_', '');
  if (/^[+-]?\d+$/.test(digits)) {
    const value = Number(digits);
    return Number.isSafeInteger(value) ? value : BigInt(digits);
  }
  return Number(digits);
}
