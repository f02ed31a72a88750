const isDigit = (char: string | undefined): char is string =>
  char !== undefined && char >= '0' && char <= '9';

/** The run of digits at `from`. */
function digitsAt(text: string, from: number): string {
  let end = from;
  while (isDigit(text[end])) end++;
  return text.slice(from, end);
}

/** Digits as numbers of any length: without their zeros, the longer one is larger. */
export function compareDigits(a: string, b: string): number {
  const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return x.length - y.length || (x < y ? -1 : x > y ? 1 : 0);
}

/** The order of Docker's listings: character by character, but runs of digits as numbers, so that `n2` is before `n10`. */
export function compareNatural(a: string, b: string): number {
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i] ?? '', b[j] ?? ''];
    if (isDigit(x) && isDigit(y)) {
      const [left, right] = [digitsAt(a, i), digitsAt(b, j)];
      const order = compareDigits(left, right);
      if (order !== 0) return order;
      i += left.length;
      j += right.length;
    } else if (x !== y) return x < y ? -1 : 1;
    else {
      i++;
      j++;
    }
  }
  return a.length - i - (b.length - j) || a.length - b.length;
}
