import { WharfError } from '../../base/index.ts';
import { endRun } from './end-run.ts';
import type { CoreDeps } from './lifecycle-deps.ts';
import type { StopOptions } from './session.ts';
import { prefixed } from './state-texts.ts';

/**
 * Stops a container and remembers that a person did. Answers when the exit is recorded; a client that goes away does
 * not call it off. Errors: `not-modified` when it does not run, `invalid` signal.
 */
export async function stopContainer(deps: CoreDeps, ref: string, options: StopOptions): Promise<void> {
  const record = deps.store.resolve(ref);
  const { status } = record.state;
  if (status !== 'running' && status !== 'paused' && status !== 'restarting') {
    throw new WharfError('not-modified', `container ${record.id} is already stopped`);
  }
  try {
    await endRun(deps, record, options, true);
  } catch (thrown) {
    throw prefixed(`cannot stop container: ${ref}`, thrown);
  }
}
