/** A function body or a class, measured in the code of {@link SourceFile}. */
export interface Block {
  kind: 'function' | 'class';
  /** First line of its head, from 1. */
  line: number;
  /** Lines from head to closing brace. */
  lines: number;
  /** Classes: number of methods. */
  methods: number;
}

interface Open extends Omit<Block, 'kind' | 'lines'> {
  kind: Block['kind'] | 'other';
  /** The statement so far in which the brace stands; taken up again after it closes. */
  head: string;
  headLine: number;
}

/**
 * Functions and classes by their braces. `head` is the statement before a brace, with closed brace groups as one sign: a
 * brace after `=>`, or after a parameter list with or without a return type, opens a function.
 */
export function blocksOf(code: string): Block[] {
  const found: Block[] = [];
  const stack: Open[] = [];
  let head = '';
  let line = 1;
  let headLine = 1;
  for (const char of code) {
    if (char === '\n') line += 1;
    if (char === '{') {
      const kind = kindOf(head);
      const parent = stack.at(-1);
      if (kind === 'function' && parent?.kind === 'class') parent.methods += 1;
      stack.push({ kind, line: headLine, methods: 0, head, headLine });
      head = '';
      headLine = line;
    } else if (char === '}') {
      const open = stack.pop();
      if (!open) continue;
      const { kind, methods } = open;
      if (kind !== 'other') found.push({ kind, line: open.line, lines: line - open.line + 1, methods });
      // A function or class ends its statement; any other group may be part of one (a type, an object, an import).
      const ended =
        kind === 'class' ||
        (kind === 'function' && (isDeclaration(open.head) || !/[(,=]/.test(open.head.replace(/\(.*/s, ''))));
      const block = isControl(open.head) || /^\s*((export|declare)\s+)*interface\s|^\s*$/.test(open.head);
      head = ended || block ? '' : `${open.head}§`;
      headLine = ended ? line : open.headLine;
    } else if (char === ';') {
      head = '';
      headLine = line;
    } else {
      if (head.trim() === '') headLine = line;
      head += char;
    }
  }
  return found;
}

function kindOf(head: string): Open['kind'] {
  const text = head.trimEnd();
  if (/(^|\s)class\s+\w+[^(){}]*$/.test(text)) return 'class';
  if (text.endsWith('=>')) return 'function';
  const call = /\)(\s*:\s*[^=?;]*[^=?;:,(&|<[\s])?$/.exec(text);
  if (!call || isControl(text)) return 'other';
  return 'function';
}

/** True for the head of `function name<T, U>(…)`, whose type parameters are not parts of an expression. */
function isDeclaration(head: string): boolean {
  return /^\s*(export\s+)?(default\s+)?(async\s+)?function\b/.test(head);
}

/** True when the last parameter list in the head belongs to `if`, `for` … */
function isControl(head: string): boolean {
  const text = head.trimEnd();
  if (/(^|\W)(else|do|try|finally)$/.test(text)) return true;
  if (!text.endsWith(')')) return false;
  let depth = 0;
  for (let at = text.length - 1; at >= 0; at--) {
    if (text[at] === ')') depth += 1;
    if (text[at] === '(') depth -= 1;
    if (depth === 0) return /(^|\W)(if|for|while|switch|catch|await)\s*$/.test(text.slice(0, at));
  }
  return false;
}
