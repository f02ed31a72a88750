import type { FlagSpec } from '../flags.ts';

/** Where on its command line the word that is being typed stands. */
export interface Place {
  /** The words that are no flags and no values of flags. */
  readonly operands: readonly string[];
  /** The flag whose value is being typed. */
  readonly flag?: FlagSpec;
  /** Whether flags may still come: no `--` was given, nor the first operand where that ends them. */
  readonly flags: boolean;
  /** How many words were read. */
  readonly taken: number;
}

/**
 * Reads the words before the one being typed, as far as they can be read: unknown flags are passed over. With
 * `stopAtOperand`, the first operand ends it, and is not taken.
 */
export function readLine(
  specs: readonly FlagSpec[],
  words: readonly string[],
  options: { interspersed: boolean; stopAtOperand?: boolean },
): Place {
  const operands: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--')
      return { operands: [...operands, ...words.slice(at + 1)], flags: false, taken: words.length };
    if (!word.startsWith('-') || word === '-') {
      if (options.stopAtOperand) return { operands, flags: true, taken: at };
      if (!options.interspersed)
        return { operands: [...operands, ...words.slice(at)], flags: false, taken: words.length };
      operands.push(word);
      continue;
    }
    const flag = wantsValue(specs, word);
    if (!flag) continue;
    if (at + 1 === words.length) return { operands, flag, flags: true, taken: words.length };
    at++;
  }
  return { operands, flags: true, taken: words.length };
}

/** The flag of this word whose value is the next word; undefined when it needs none, or has it. */
function wantsValue(specs: readonly FlagSpec[], word: string): FlagSpec | undefined {
  if (word.startsWith('--')) {
    const found = specs.find((each) => each.name === word.slice(2));
    return found && found.type !== 'bool' ? found : undefined;
  }
  for (let at = 1; at < word.length; at++) {
    const found = specs.find((each) => each.short === word[at]);
    if (!found) return undefined;
    if (found.type !== 'bool') return at === word.length - 1 ? found : undefined;
  }
  return undefined;
}
