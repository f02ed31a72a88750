import { WharfError } from '../../base/index.ts';

/**
 * A JSON array of strings, or undefined when the text is something else: the shell form, as the Dockerfile reference says.
 * Errors: `invalid`, with Docker's text, for an array of other things.
 */
export function jsonList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  if (!value.every((item) => typeof item === 'string'))
    throw new WharfError('invalid', 'when using JSON array syntax, arrays must be comprised of strings only');
  return value;
}
