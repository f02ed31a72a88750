import type { Output } from './progress.ts';

const MARK = '\u001b[1m\u001b[106m\u001b[30mi\u001b[0m\u001b[0m \u001b[96mInfo → \u001b[0m\u001b[0m';
const INDENT = '         ';

/** Red, also where there is no terminal: Docker's client does so. */
export const red = (text: string): string => `\u001b[31m${text}\u001b[0m`;
/** Green, likewise. */
export const green = (text: string): string => `\u001b[32m${text}\u001b[0m`;

/** Tells something beside the result: set apart, in italics on a terminal; words between backticks are bold there. */
export function printNote(output: Output, text: string): void {
  const lines = text
    .replace(/`([^`]*)`/g, output.isTTY ? '\u001b[1m$1\u001b[0m' : '$1')
    .split('\n')
    .map((line) => (output.isTTY ? `\u001b[3m${line}\u001b[0m` : line));
  const [first = '', ...rest] = lines;
  output.write(`\n${output.isTTY ? MARK : ' Info -> '}${first}\n`);
  for (const line of rest) output.write(`${INDENT}${line}\n`);
}
