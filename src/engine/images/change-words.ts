const REFERENCE = /^\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})/;

/**
 * Splits into words as instructions of a Dockerfile are read: quotes group and are removed, a backslash keeps the next
 * character, `$name`, `${name}`, `${name:-else}` and `${name:+then}` stand for values of `env` except in single quotes.
 */
export function words(text: string, env: readonly string[] = []): string[] {
  return split(text, env, /\s/);
}

/** The same for an instruction with one argument, in which blanks are kept. */
export function oneWord(text: string, env: readonly string[] = []): string {
  return split(text, env, /(?!)/)[0] ?? '';
}

function split(text: string, env: readonly string[], separator: RegExp): string[] {
  const found: string[] = [];
  let word = '';
  let open = false;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    const reference = char === '$' && quote !== "'" ? REFERENCE.exec(text.slice(at)) : null;
    if (reference) {
      word += substituted(reference, env);
      open = true;
      at += reference[0].length - 1;
    } else if (char === '\\' && quote !== "'" && at + 1 < text.length) {
      word += text[++at];
      open = true;
    } else if (quote) {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      open = true;
    } else if (separator.test(char)) {
      if (open) found.push(word);
      word = '';
      open = false;
    } else {
      word += char;
      open = true;
    }
  }
  if (open) found.push(word);
  return found;
}

function substituted(reference: RegExpExecArray, env: readonly string[]): string {
  const [, plain, braced, operator, other = ''] = reference;
  const name = `${plain ?? braced}=`;
  const value = env.find((entry) => entry.startsWith(name))?.slice(name.length) ?? '';
  if (operator === '+') return value === '' ? '' : other;
  return operator === '-' && value === '' ? other : value;
}
