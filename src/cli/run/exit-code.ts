import type { WaitResult } from '../../client/index.ts';
import type { Context } from '../command.ts';
import { describeError } from '../errors.ts';
import { safeText } from '../sanitize.ts';

/** The exit code that the engine reports; 125 and a line on stderr when it cannot be had. */
export async function exitCode(context: Context, exit: Promise<WaitResult>): Promise<number> {
  let failure: string;
  try {
    const { StatusCode, Error: error } = await exit;
    if (!error?.Message) return StatusCode;
    failure = safeText(error.Message);
  } catch (thrown) {
    failure = describeError(thrown);
  }
  context.warn(`error waiting for container: ${failure}\n`);
  return 125;
}
