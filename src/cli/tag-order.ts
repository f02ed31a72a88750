import { WharfError } from '../base/index.ts';
import { compareDigits } from './natural-order.ts';

/**
 * Tags as people count: runs of digits compare as numbers, so that `1.10` is above `1.9`. A tag that goes on after what
 * another ends with is above it, but for a suffix such as `-rc1`, which is below.
 */
export function naturalOrder(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const [x, y] = [left[at], right[at]];
    if (x === undefined) return y?.startsWith('-') ? 1 : -1;
    if (y === undefined) return x.startsWith('-') ? -1 : 1;
    const order = /^\d/.test(x) && /^\d/.test(y) ? compareDigits(x, y) : x < y ? -1 : x > y ? 1 : 0;
    if (order !== 0) return order;
  }
  return 0;
}

const parts = (text: string): string[] => text.match(/\d+|\D+/g) ?? [];

/** Any number of characters; other pieces of a pattern take one. */
const ANY = Symbol('any');
type Piece = typeof ANY | ((char: string) => boolean);

/** A pattern of the shell's kind (`*`, `?`, `[a-z]`, `[!0]`) for whole tags. Throws WharfError `invalid`. */
export function tagPattern(pattern: string): (tag: string) => boolean {
  const pieces = (pattern.match(/\[[!^]?\]?[^\]]*\]|\*+|./gsu) ?? []).map((text) => pieceOf(text, pattern));
  return (tag) => matches(pieces, tag);
}

function pieceOf(text: string, pattern: string): Piece {
  if (text.startsWith('*')) return ANY;
  if (text === '?') return () => true;
  if (!text.startsWith('[')) return (char) => char === text;
  const negated = /^\[[!^]/.test(text);
  const inner = text.slice(negated ? 2 : 1, -1).replace(/[\\\]^[]/g, '\\$&');
  try {
    if (text === '[') throw new Error('not closed');
    const set = new RegExp(`^[${negated ? '^' : ''}${inner}]$`, 'u');
    return (char) => set.test(char);
  } catch (thrown) {
    throw new WharfError('invalid', `${JSON.stringify(pattern)} is no pattern for tags`, { cause: thrown });
  }
}

/** Goes back to the last star only, which is enough: time grows with the product of both lengths at most. */
function matches(pieces: readonly Piece[], tag: string): boolean {
  let [at, piece, star, from] = [0, 0, -1, 0];
  while (at < tag.length) {
    const now = pieces[piece];
    if (now === ANY) {
      star = piece++;
      from = at;
    } else if (now?.(tag[at] ?? '')) {
      at++;
      piece++;
    } else if (star >= 0) {
      piece = star + 1;
      at = ++from;
    } else return false;
  }
  return pieces.slice(piece).every((rest) => rest === ANY);
}
