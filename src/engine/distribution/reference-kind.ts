import { type ErrorKind, WharfError } from '../../base/index.ts';

/** A registry out of reach, or one that has enough of us: to the reference these are faults like any other, status 500. */
const FAULTS: readonly ErrorKind[] = ['unavailable', 'rate-limited', 'timeout', 'exhausted'];
/** Refusals that the reference does not count as such: credentials that are missing, or that `GET /v2/` did not like. */
const NOT_REFUSED = /no basic auth credentials$|^login attempt to /;

/**
 * Runs a question to a registry; what fails has the kind whose status the reference would answer with. `told` are kinds
 * that it tells from other faults at this question.
 */
export async function asReference<T>(
  question: () => Promise<T>,
  told: readonly ErrorKind[] = [],
): Promise<T> {
  try {
    return await question();
  } catch (thrown) {
    const error = WharfError.from(thrown);
    const fault = FAULTS.includes(error.kind) && !told.includes(error.kind);
    const refused = error.kind === 'unauthorized' && NOT_REFUSED.test(error.message);
    throw fault || refused ? new WharfError('internal', error.message, { cause: error }) : error;
  }
}
