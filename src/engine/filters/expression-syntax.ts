/** As RE2. */
const MAX_COUNT = 1_000;

/** Whether a set of characters has the one of that code point. */
export type Has = (code: number) => boolean;
/** A condition on a place between two characters. */
export type Assertion = 'begin' | 'end' | 'word' | 'notWord';

/** A pattern as a tree. `max` may be infinite. */
export type Node =
  | { kind: 'set'; has: Has }
  | { kind: 'assert'; what: Assertion }
  | { kind: 'sequence'; nodes: Node[] }
  | { kind: 'choice'; nodes: Node[] }
  | { kind: 'repeat'; node: Node; min: number; max: number };

/** Thrown for a pattern that is no expression of this language; it does not leave this folder. */
export class Malformed extends Error {}

const within =
  (first: number, last: number): Has =>
  (code) =>
    code >= first && code <= last;
const either =
  (sets: readonly Has[]): Has =>
  (code) =>
    sets.some((has) => has(code));
const not =
  (has: Has): Has =>
  (code) =>
    !has(code);
const anyOf = (characters: string): Has => {
  const codes = new Set([...characters].map((one) => one.codePointAt(0)));
  return (code) => codes.has(code);
};

const DIGIT = within(48, 57);
const UPPER = within(65, 90);
const LOWER = within(97, 122);
const ALPHA = either([UPPER, LOWER]);
const ALNUM = either([ALPHA, DIGIT]);
/** `\\w`. */
export const WORD = either([ALNUM, anyOf('_')]);
const SPACE = anyOf('\t\n\f\r ');
const CLASSES: Readonly<Record<string, Has>> = { d: DIGIT, w: WORD, s: SPACE };
const NAMED: Readonly<Record<string, Has>> = {
  alnum: ALNUM,
  alpha: ALPHA,
  digit: DIGIT,
  lower: LOWER,
  upper: UPPER,
  punct: either([within(33, 47), within(58, 64), within(91, 96), within(123, 126)]),
  space: either([SPACE, anyOf('\v')]),
  word: WORD,
  xdigit: either([DIGIT, within(65, 70), within(97, 102)]),
};
const CONTROL: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };
const ASSERTIONS: Readonly<Record<string, Assertion>> = { A: 'begin', z: 'end', b: 'word', B: 'notWord' };

/** The tree of a pattern. Throws `Malformed`. */
export function parseExpression(pattern: string): Node {
  return new Parser(pattern).parse();
}

class Parser {
  private readonly characters: string[];
  private at = 0;
  private foldCase = false;
  private dotAll = false;

  constructor(pattern: string) {
    this.characters = [...pattern];
  }

  parse(): Node {
    const node = this.choice();
    if (this.at < this.characters.length) throw new Malformed('unmatched )');
    return node;
  }

  private choice(): Node {
    const nodes = [this.sequence()];
    while (this.take('|')) nodes.push(this.sequence());
    return nodes.length === 1 ? (nodes[0] as Node) : { kind: 'choice', nodes };
  }

  private sequence(): Node {
    const nodes: Node[] = [];
    for (let next = this.peek(); next !== undefined && next !== '|' && next !== ')'; next = this.peek()) {
      nodes.push(this.repeated(this.atom()));
    }
    return { kind: 'sequence', nodes };
  }

  private atom(): Node {
    const character = this.next();
    switch (character) {
      case '^':
        return { kind: 'assert', what: 'begin' };
      case '$':
        return { kind: 'assert', what: 'end' };
      case '.':
        return { kind: 'set', has: this.dotAll ? () => true : not(anyOf('\n')) };
      case '(':
        return this.group();
      case '[':
        return { kind: 'set', has: this.bracket() };
      case '\\':
        return this.escape();
      case '*':
      case '+':
      case '?':
        throw new Malformed('nothing to repeat');
      default:
        return { kind: 'set', has: this.literal(character) };
    }
  }

  /** After `*`, `+`, `?` or `{n,m}` a `?` asks for the shortest match, which is no difference for a yes or no. */
  private repeated(node: Node): Node {
    const [min, max] = this.count() ?? [];
    if (min === undefined || max === undefined) return node;
    this.take('?');
    if (this.count()) throw new Malformed('repetition of a repetition');
    return { kind: 'repeat', node, min, max };
  }

  private count(): [number, number] | undefined {
    if (this.take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.take('?')) return [0, 1];
    const rest = this.characters.slice(this.at, this.at + 12).join('');
    const match = /^\{(\d{1,4})(,(\d{1,4})?)?\}/.exec(rest);
    if (!match) return undefined;
    this.at += match[0].length;
    const min = Number(match[1]);
    const max =
      match[2] === undefined ? min : match[3] === undefined ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (min > MAX_COUNT || max < min || (max > MAX_COUNT && max !== Number.POSITIVE_INFINITY)) {
      throw new Malformed('bad count');
    }
    return [min, max];
  }

  private group(): Node {
    const before = { foldCase: this.foldCase, dotAll: this.dotAll };
    if (this.take('?')) {
      const flags = /^(?:P?<\w+>|([is]*)([:)]))/.exec(this.characters.slice(this.at).join(''));
      if (!flags) throw new Malformed('unknown group');
      this.at += [...flags[0]].length;
      if (flags[1]?.includes('i')) this.foldCase = true;
      if (flags[1]?.includes('s')) this.dotAll = true;
      // `(?i)` holds to the end of the group it stands in.
      if (flags[2] === ')') return { kind: 'sequence', nodes: [] };
    }
    const node = this.choice();
    if (!this.take(')')) throw new Malformed('missing )');
    Object.assign(this, before);
    return node;
  }

  private escape(): Node {
    const character = this.next();
    const assertion = ASSERTIONS[character];
    if (assertion) return { kind: 'assert', what: assertion };
    return { kind: 'set', has: escapedClass(character) ?? this.literal(this.escaped(character)) };
  }

  /** The character that `\` and this one mean. */
  private escaped(character: string): string {
    const control = CONTROL[character];
    if (control !== undefined) return String.fromCodePoint(control);
    if (character === 'x') {
      const digits = `${this.next()}${this.next()}`;
      if (!/^[0-9a-f]{2}$/i.test(digits)) throw new Malformed('bad \\x');
      return String.fromCodePoint(Number.parseInt(digits, 16));
    }
    if (/[a-z0-9]/i.test(character)) throw new Malformed('unknown escape');
    return character;
  }

  private bracket(): Has {
    const negated = this.take('^');
    const sets: Has[] = [];
    for (let first = true; first || this.peek() !== ']'; first = false) sets.push(this.bracketItem());
    this.at += 1;
    const has = either(sets);
    return negated ? not(has) : has;
  }

  private bracketItem(): Has {
    const named = /^\[:(\^?)(\w+):\]/.exec(this.characters.slice(this.at, this.at + 12).join(''));
    if (named) {
      this.at += named[0].length;
      const has = NAMED[named[2] as string];
      if (!has) throw new Malformed('unknown class');
      return named[1] ? not(has) : has;
    }
    let from = this.next();
    if (from === '\\') {
      const character = this.next();
      const has = escapedClass(character);
      if (has) return has;
      from = this.escaped(character);
    }
    if (this.peek() !== '-' || this.characters[this.at + 1] === ']') return this.literal(from);
    this.at += 1;
    let to = this.next();
    if (to === '\\') to = this.escaped(this.next());
    const [low, high] = [from.codePointAt(0) as number, to.codePointAt(0) as number];
    if (low > high) throw new Malformed('bad range');
    return this.foldCase ? foldedRange(low, high) : within(low, high);
  }

  private literal(character: string): Has {
    if (!this.foldCase) return anyOf(character);
    return anyOf(character.toLowerCase() + character.toUpperCase());
  }

  private peek(): string | undefined {
    return this.characters[this.at];
  }

  private next(): string {
    const character = this.characters[this.at];
    if (character === undefined) throw new Malformed('ends early');
    this.at += 1;
    return character;
  }

  private take(character: string): boolean {
    if (this.characters[this.at] !== character) return false;
    this.at += 1;
    return true;
  }
}

function escapedClass(character: string): Has | undefined {
  const has = CLASSES[character.toLowerCase()];
  return has && character !== character.toLowerCase() ? not(has) : has;
}

function foldedRange(low: number, high: number): Has {
  const has = within(low, high);
  return (code) => {
    const character = String.fromCodePoint(code);
    return [character, character.toLowerCase(), character.toUpperCase()].some((one) =>
      has(one.codePointAt(0) ?? -1),
    );
  };
}
