import {
  type Assertion,
  type Has,
  Malformed,
  type Node,
  parseExpression,
  WORD,
} from './expression-syntax.ts';

/** Longer patterns are refused: nobody writes them by hand, and each step of a match costs with their length. */
const MAX_PATTERN = 256;
/** Instructions of a compiled pattern; counted repetition is written out, so it ends here. */
const MAX_PROGRAM = 1_000;
/** Visits of pattern nodes while compiling, for repetition of what is empty. */
const MAX_VISITS = 10_000;

type Instruction =
  | { op: 'set'; has: Has }
  | { op: 'assert'; what: Assertion }
  | { op: 'split'; first: number; second: number }
  | { op: 'jump'; to: number }
  | { op: 'match' };

/**
 * Compiles a regular expression in the syntax that Go's clients write (RE2: characters, classes, groups, choice,
 * repetition, `^ $ \b`, flags `i` and `s`), matched anywhere in a text by simulating an automaton: the time is bounded by
 * the product of both lengths, whatever the pattern. Undefined for one that is malformed or too large.
 */
export function compileExpression(pattern: string): ((text: string) => boolean) | undefined {
  if (pattern.length > MAX_PATTERN) return undefined;
  try {
    const program = assemble(parseExpression(pattern));
    return (text) => simulate(program, text);
  } catch (thrown) {
    if (thrown instanceof Malformed) return undefined;
    throw thrown;
  }
}

/** Writes a pattern out as instructions. Throws `Malformed` for one that would be too many. */
function assemble(root: Node): Instruction[] {
  const program: Instruction[] = [];
  let visits = 0;
  const push = <T extends Instruction>(instruction: T): T => {
    if (program.length >= MAX_PROGRAM) throw new Malformed('too large');
    program.push(instruction);
    return instruction;
  };
  const split = () => push({ op: 'split', first: program.length + 1, second: 0 });
  const optional = (node: Node, again: boolean) => {
    const start = program.length;
    const skip = split();
    emit(node);
    if (again) push({ op: 'jump', to: start });
    skip.second = program.length;
  };
  const emitChoice = (nodes: readonly Node[]) => {
    const ends = nodes.slice(0, -1).map((node) => {
      const skip = split();
      emit(node);
      const end = push({ op: 'jump', to: 0 });
      skip.second = program.length;
      return end;
    });
    emit(nodes.at(-1) as Node);
    for (const end of ends) end.to = program.length;
  };
  const emit = (node: Node): void => {
    visits += 1;
    if (visits > MAX_VISITS) throw new Malformed('too large');
    if (node.kind === 'set') push({ op: 'set', has: node.has });
    else if (node.kind === 'assert') push({ op: 'assert', what: node.what });
    else if (node.kind === 'sequence') for (const one of node.nodes) emit(one);
    else if (node.kind === 'choice') emitChoice(node.nodes);
    else {
      for (let count = 0; count < node.min; count += 1) emit(node.node);
      if (node.max === Number.POSITIVE_INFINITY) optional(node.node, true);
      else for (let count = node.min; count < node.max; count += 1) optional(node.node, false);
    }
  };
  emit(root);
  push({ op: 'match' });
  return program;
}

/** All ways through the program at once: no place is visited twice for one character, so nothing is tried again. */
function simulate(program: readonly Instruction[], text: string): boolean {
  const codes = Array.from(text, (character) => character.codePointAt(0) as number);
  const seenAt = new Int32Array(program.length).fill(-1);
  let current: number[] = [];
  for (let index = 0; index <= codes.length; index += 1) {
    const waiting: number[] = [];
    // A match may begin at each place.
    const open = [0, ...current.reverse()];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (seenAt[at] === index) continue;
      seenAt[at] = index;
      const instruction = program[at] as Instruction;
      if (instruction.op === 'match') return true;
      if (instruction.op === 'set') waiting.push(at);
      else if (instruction.op === 'jump') open.push(instruction.to);
      else if (instruction.op === 'split') open.push(instruction.second, instruction.first);
      else if (holds(instruction.what, codes, index)) open.push(at + 1);
    }
    const code = codes[index];
    current = [];
    if (code === undefined) break;
    for (const at of waiting) {
      if ((program[at] as { has: Has }).has(code)) current.push(at + 1);
    }
  }
  return false;
}

function holds(what: Assertion, codes: readonly number[], index: number): boolean {
  if (what === 'begin') return index === 0;
  if (what === 'end') return index === codes.length;
  const isWord = (code: number | undefined) => code !== undefined && WORD(code);
  return (isWord(codes[index - 1]) !== isWord(codes[index])) === (what === 'word');
}
