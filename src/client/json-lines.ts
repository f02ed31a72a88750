import { WharfError } from '../base/index.ts';

/** One line of a progress stream (load, import, pull). Source: Engine API, JSONMessage. */
export interface ProgressMessage {
  stream?: string;
  status?: string;
  id?: string;
  progress?: string;
  progressDetail?: { current?: number; total?: number; units?: string; hidecounts?: boolean };
  error?: string;
  errorDetail?: { code?: number; message?: string };
  aux?: Record<string, unknown>;
}

/** A line may not be longer, in bytes. */
const MAX_LINE = 64 * 1024 * 1024;

/** Reads JSON documents separated by line feeds or nothing but blanks, as text of one document each. */
export async function* jsonTexts(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source) {
    rest += decoder.decode(chunk, { stream: true });
    if (rest.length > MAX_LINE) throw new WharfError('corrupt', 'a line of the stream is too long');
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield rest;
}

/** Reads the documents of such a stream. Throws `corrupt` for a line that is not JSON. */
export async function* jsonLines<T>(source: AsyncIterable<Buffer>): AsyncGenerator<T> {
  for await (const text of jsonTexts(source)) {
    try {
      yield JSON.parse(text) as T;
    } catch (thrown) {
      throw new WharfError('corrupt', `a line of the stream is not JSON: ${text.slice(0, 80)}`, {
        cause: thrown,
      });
    }
  }
}
