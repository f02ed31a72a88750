import { randomInt } from 'node:crypto';
import { WharfError } from '../../base/index.ts';
import { ADJECTIVES, SURNAMES } from './name-words.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** After so many free choices a digit is appended. */
const PLAIN_TRIES = 6;

/** The name without its leading slash. Errors: `invalid`, with Docker's text; `prefix` goes in front of it. */
export function checkContainerName(asked: string, shown: string = asked): string {
  const name = asked.startsWith('/') ? asked.slice(1) : asked;
  if (NAME.test(name)) return name;
  throw new WharfError(
    'invalid',
    `Invalid container name (${shown}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );
}

/** A new name of two words that `taken` does not know; digits are appended when the plain ones run out. */
export function generateName(
  taken: (name: string) => boolean,
  random: (below: number) => number = (below) => randomInt(below),
): string {
  for (let attempt = 0; ; attempt += 1) {
    const words = `${ADJECTIVES[random(ADJECTIVES.length)]}_${SURNAMES[random(SURNAMES.length)]}`;
    const digits = attempt < PLAIN_TRIES ? '' : String(random(10 ** Math.min(8, attempt - PLAIN_TRIES + 1)));
    if (!taken(words + digits)) return words + digits;
  }
}
