/** Numbers that look random and are the same for one seed, for tests that compare with a model. */
export function randomNumbers(seed: number) {
  let state = seed;
  const below = (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  const bits = (count: number): bigint => {
    let value = 0n;
    for (let at = 0; at < count; at += 16) value = (value << 16n) | BigInt(below(2 ** 16));
    return value;
  };
  return { below, bits, of: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}
