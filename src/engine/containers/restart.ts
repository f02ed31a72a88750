import { publishContainerEvent } from './container-events.ts';
import { endRun } from './end-run.ts';
import type { RunDeps } from './lifecycle-deps.ts';
import type { StopOptions } from './session.ts';
import { startContainer } from './start.ts';
import { prefixed } from './state-texts.ts';

/** Stops a container if it runs, and starts it. `--rm` does not remove it in between. */
export async function restartContainer(
  deps: RunDeps,
  ref: string,
  options: StopOptions,
  signal?: AbortSignal,
): Promise<void> {
  const record = deps.store.resolve(ref);
  const live = deps.live.of(record.id);
  live.keepAfterExit = true;
  try {
    await endRun(deps, record, options, false);
    await startContainer(deps, record.id, signal);
  } catch (thrown) {
    throw prefixed(`Cannot restart container ${ref}`, thrown);
  } finally {
    live.keepAfterExit = false;
  }
  publishContainerEvent(deps.events, record, 'restart');
}
