import { isKind, WharfError } from '../base/index.ts';
import { isEngineError } from './engine-client.ts';

/** The answer to a request that only Wharf knows. Throws WharfError `not-implemented`, beginning with `lack`, where it is unknown. */
export async function wharfOnly<T>(answer: Promise<T>, lack: string): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    const unknown =
      isEngineError(thrown) && isKind(thrown, 'not-found') && /page not found/.test(thrown.message);
    if (!unknown) throw thrown;
    throw new WharfError('not-implemented', `${lack} needs a Wharf engine of 0.4 or later`, {
      cause: thrown,
    });
  }
}
