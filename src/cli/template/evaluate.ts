import type { Command, Node, Operand, Pipeline, Place, Template } from './ast.ts';
import { TemplateError } from './error.ts';
import type { TemplateFunction } from './functions.ts';
import { formatValue, isStruct, kindName, Methods, sortedKeys, truth, type Value } from './values.ts';

/** How deep templates may call each other. */
const MAX_CALLS = 1000;

class LoopSignal {
  readonly kind: 'break' | 'continue';
  constructor(kind: 'break' | 'continue') {
    this.kind = kind;
  }
}

/** Applies a template to a value and gives the text. Throws TemplateError of stage `execute`, with Go's text. */
export function evaluate(
  template: Template,
  data: Value,
  functions: ReadonlyMap<string, TemplateFunction>,
): string {
  const run = new Evaluator(template, functions);
  run.nodes(template.body, data, [{ name: '$', value: data }]);
  return run.out.join('');
}

interface Variable {
  name: string;
  value: Value;
}

class Evaluator {
  readonly out: string[] = [];
  private readonly template: Template;
  private readonly functions: ReadonlyMap<string, TemplateFunction>;
  private calls = 0;

  constructor(template: Template, functions: ReadonlyMap<string, TemplateFunction>) {
    this.template = template;
    this.functions = functions;
  }

  nodes(nodes: readonly Node[], dot: Value, scope: Variable[]): void {
    for (const node of nodes) this.node(node, dot, scope);
  }

  private node(node: Node, dot: Value, scope: Variable[]): void {
    switch (node.type) {
      case 'text':
        this.out.push(node.text);
        return;
      case 'action': {
        const value = this.pipeline(node.pipeline, dot, scope);
        if (node.pipeline.variables.length === 0) this.out.push(formatValue(value));
        return;
      }
      case 'template':
        this.call(node, dot, scope);
        return;
      case 'break':
      case 'continue':
        throw new LoopSignal(node.type);
      default:
        this.control(node, dot, scope);
        return;
    }
  }

  private control(node: Node & { type: 'if' | 'with' | 'range' }, dot: Value, scope: Variable[]): void {
    const inner = scope.slice();
    const value = this.pipeline(node.pipeline, dot, inner);
    if (node.type === 'range') {
      this.range(node, value, dot, inner);
      return;
    }
    if (truth(value)) this.nodes(node.body, node.type === 'with' ? value : dot, inner);
    else this.nodes(node.otherwise, dot, inner);
  }

  private range(
    node: Node & { type: 'if' | 'with' | 'range' },
    value: Value,
    dot: Value,
    scope: Variable[],
  ): void {
    const entries = this.entries(node.pipeline, value);
    if (entries.length === 0) {
      this.nodes(node.otherwise, dot, scope);
      return;
    }
    const names = node.pipeline.variables;
    for (const [key, item] of entries) {
      const inner = scope.slice();
      if (names.length === 1) inner.push({ name: names[0] ?? '', value: item });
      if (names.length === 2)
        inner.push({ name: names[0] ?? '', value: key }, { name: names[1] ?? '', value: item });
      try {
        this.nodes(node.body, item, inner);
      } catch (thrown) {
        if (!(thrown instanceof LoopSignal)) throw thrown;
        if (thrown.kind === 'break') return;
      }
    }
  }

  private entries(place: Place, value: Value): [Value, Value][] {
    if (value === null || value === undefined) return [];
    if (Array.isArray(value)) return value.map((item, at) => [at, item]);
    if (value instanceof Map) return sortedKeys(value).map((key) => [key, value.get(key)]);
    if (typeof value === 'number' && Number.isInteger(value))
      return Array.from({ length: Math.min(value, 1_000_000) }, (_item, at) => [at, at]);
    throw this.error(place, `range can't iterate over ${formatValue(value)}`);
  }

  private call(node: Node & { type: 'template' }, dot: Value, scope: Variable[]): void {
    const body = this.template.defined.get(node.name);
    if (!body) throw this.error(node.place, `template ${JSON.stringify(node.name)} not defined`);
    if (++this.calls > MAX_CALLS)
      throw this.error(node.place, `exceeded maximum template depth (${MAX_CALLS})`);
    const value = node.pipeline ? this.pipeline(node.pipeline, dot, scope) : undefined;
    this.nodes(body, value, [{ name: '$', value }]);
    this.calls--;
  }

  private pipeline(pipeline: Pipeline, dot: Value, scope: Variable[]): Value {
    let value: Value;
    pipeline.commands.forEach((command, at) => {
      value = this.command(command, dot, scope, at === 0 ? [] : [value]);
    });
    if (pipeline.variables.length === 1) {
      const name = pipeline.variables[0] ?? '';
      const known = pipeline.declares ? undefined : scope.findLast((variable) => variable.name === name);
      if (known) known.value = value;
      else scope.push({ name, value });
    }
    return value;
  }

  private command(command: Command, dot: Value, scope: Variable[], last: Value[]): Value {
    const [first, ...rest] = command.operands;
    if (!first) return undefined;
    if (first.type === 'function') return this.function(first, command, rest, dot, scope, last);
    if (first.type === 'field' || first.type === 'variable' || first.type === 'pipeline') {
      const args = [...rest.map((operand) => this.operand(operand, dot, scope)), ...last];
      return this.operand(first, dot, scope, args);
    }
    if (rest.length > 0 || last.length > 0)
      throw this.error(first, `can't give argument to non-function ${first.source}`);
    return this.operand(first, dot, scope);
  }

  private function(
    first: Operand & { type: 'function' },
    command: Place,
    rest: Operand[],
    dot: Value,
    scope: Variable[],
    last: Value[],
  ): Value {
    if (first.name === 'and' || first.name === 'or') {
      let value: Value;
      for (const operand of rest) {
        value = this.operand(operand, dot, scope);
        if (truth(value) === (first.name === 'or')) return value;
      }
      return last.length > 0 ? last[0] : value;
    }
    const args = [...rest.map((operand) => this.operand(operand, dot, scope)), ...last];
    const called = this.functions.get(first.name);
    if (!called) throw this.error(first, `${first.name} is not a defined function`);
    if (called.length > args.length) {
      throw this.error(
        first,
        `wrong number of args for ${first.name}: want ${called.length} got ${args.length}`,
      );
    }
    try {
      return called(...args);
    } catch (thrown) {
      const text = thrown instanceof Error ? thrown.message : String(thrown);
      if (text.startsWith('wrong type')) throw this.error(command, text);
      throw this.error(
        { ...command, line: first.line, column: first.column },
        `error calling ${first.name}: ${text}`,
      );
    }
  }

  private operand(operand: Operand, dot: Value, scope: Variable[], args: Value[] = []): Value {
    switch (operand.type) {
      case 'dot':
        return dot;
      case 'nil':
        throw this.error(operand, 'nil is not a command');
      case 'bool':
      case 'number':
      case 'string':
        return operand.value;
      case 'field':
        return this.fields(operand, dot, operand.names, args);
      case 'variable':
        return this.fields(
          operand,
          scope.findLast((variable) => variable.name === operand.name)?.value,
          operand.names,
          args,
        );
      case 'pipeline':
        return this.fields(operand, this.pipeline(operand.pipeline, dot, scope), operand.names, args);
      case 'function':
        return this.function(operand, operand, [], dot, scope, []);
    }
  }

  private fields(place: Place, start: Value, names: readonly string[], args: Value[]): Value {
    let value = start;
    names.forEach((name, at) => {
      value = this.field(place, value, name, at === names.length - 1 ? args : []);
    });
    return value;
  }

  private field(place: Place, value: Value, name: string, args: Value[]): Value {
    if (value instanceof Methods) {
      const member = value.members.get(name);
      if (!member) throw this.error(place, `can't evaluate field ${name} in type ${value.typeName}`);
      if (args.length !== member.length) {
        throw this.error(place, `wrong number of args for ${name}: want ${member.length} got ${args.length}`);
      }
      return member(...args);
    }
    if (args.length > 0) throw this.error(place, `${name} has arguments but cannot be invoked as function`);
    if (value instanceof Map) return value.get(name);
    if (isStruct(value)) {
      if (Object.hasOwn(value, name)) return value[name];
      throw this.error(place, `map has no entry for key ${JSON.stringify(name)}`);
    }
    if (value === null || value === undefined)
      throw this.error(place, `nil data; no entry for key ${JSON.stringify(name)}`);
    throw this.error(
      place,
      `can't evaluate field ${name} in type ${kindName(value).replace(/^(?:string|bool|int.*|float.*)$/, 'interface {}')}`,
    );
  }

  private error(place: Place, text: string): TemplateError {
    const source = place.source.length > 23 ? `${place.source.slice(0, 20)}...` : place.source;
    return new TemplateError(
      'execute',
      `:${place.line}:${place.column}: executing "" at <${source}>: ${text}`,
    );
  }
}
