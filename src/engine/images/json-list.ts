/** A JSON array of strings, or undefined when the text is something else: the shell form, as the Dockerfile reference says. */
export function jsonList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  } catch {
    // Not JSON.
  }
  return undefined;
}
