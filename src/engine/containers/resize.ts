import { publishContainerEvent } from './container-events.ts';
import type { CoreDeps } from './lifecycle-deps.ts';
import { notRunning } from './state-texts.ts';

/** Sets the size of a container's terminal, in characters. Errors: `conflict` when it does not run. */
export async function resizeContainer(
  deps: Pick<CoreDeps, 'store' | 'live' | 'events'>,
  ref: string,
  size: { height: number; width: number },
): Promise<void> {
  const record = deps.store.resolve(ref);
  const task = deps.live.task(record.id);
  if (!task) throw notRunning(record);
  // Without a terminal there is nothing to size, and Docker says yes.
  if (record.config.Tty) await task.resize(size.height, size.width);
  const attributes = { height: String(size.height), width: String(size.width) };
  publishContainerEvent(deps.events, record, 'resize', attributes);
}
