import { WharfError } from '../base/index.ts';
import { isConnectionLost, isEngineError } from '../client/index.ts';
import { safeText } from './sanitize.ts';

/** An error as the user reads it; what the engine said is marked so. */
export function describeError(thrown: unknown): string {
  if (isConnectionLost(thrown)) return 'unexpected EOF';
  const { message } = WharfError.from(thrown);
  return safeText(isEngineError(thrown) ? `Error response from daemon: ${message}` : message);
}
