import { WharfError } from '../../base/index.ts';
import { familiarName } from './store.ts';

/**
 * The `reference` filter: a shell pattern over the familiar name, with or without its tag (`busybox`, `busy*`,
 * `my/*:1.?`). `*` stops at a slash. Errors: `invalid` for a set that does not end.
 */
export function referencePattern(pattern: string): (canonical: string) => boolean {
  const parts = pattern.split('/').map(globTokens);
  return (canonical) => {
    const familiar = familiarName(canonical);
    const bare = familiar.replace(/(@sha256:[0-9a-f]{64}|:[^/:@]*)$/, '');
    return [familiar, bare].some((name) => pathMatches(parts, name.split('/')));
  };
}

/** One unit of a pattern: any run of characters, or one character that passes. */
type Token = 'run' | ((char: string) => boolean);

function globTokens(part: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < part.length; at++) {
    const char = part[at] as string;
    const end = char === '[' ? part.indexOf(']', at + 2) : -1;
    if (char === '*') tokens.push('run');
    else if (char === '?') tokens.push(() => true);
    else if (end > 0) {
      tokens.push(characterSet(part.slice(at + 1, end)));
      at = end;
    } else if (char === '[') {
      throw new WharfError('invalid', 'syntax error in pattern');
    } else tokens.push((other) => other === char);
  }
  return tokens;
}

/** `a-z_`, or with `!` or `^` in front everything else. */
function characterSet(text: string): (char: string) => boolean {
  const negated = /^[!^]/.test(text);
  const ranges = [...(negated ? text.slice(1) : text).matchAll(/(.)-(.)|(.)/gs)].map(
    ([, from, to, single]) => ({
      from: from ?? (single as string),
      to: to ?? (single as string),
    }),
  );
  return (char) => ranges.some(({ from, to }) => from <= char && char <= to) !== negated;
}

function pathMatches(parts: Token[][], names: string[]): boolean {
  return (
    parts.length === names.length && parts.every((tokens, at) => segmentMatches(tokens, names[at] as string))
  );
}

/** Only the last run is ever widened, so that no pattern takes more than pattern × name steps. */
function segmentMatches(tokens: Token[], name: string): boolean {
  let token = 0;
  let at = 0;
  let run = -1;
  let runEnd = 0;
  while (at < name.length) {
    const current = tokens[token];
    if (current === 'run') {
      run = token++;
      runEnd = at;
    } else if (current?.(name[at] as string)) {
      token++;
      at++;
    } else if (run >= 0) {
      token = run + 1;
      at = ++runEnd;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === 'run');
}
