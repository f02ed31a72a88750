/** Parses `0-3,7` into its numbers; undefined when it is malformed. At most 8192 of them. */
export function parseCpuSet(text: string): Set<number> | undefined {
  const numbers = new Set<number>();
  for (const part of text.trim().split(',')) {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part);
    if (!match) return undefined;
    const from = Number(match[1]);
    const to = Number(match[2] ?? match[1]);
    if (to < from || to >= 8192) return undefined;
    for (let each = from; each <= to; each++) numbers.add(each);
  }
  return numbers;
}
