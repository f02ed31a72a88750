import type { CoreDeps } from './lifecycle-deps.ts';
import type { ContainerRecord } from './record.ts';

/**
 * Saves what has happened and can't be refused any more, such as an exit. When the disk says no, who waits must be told
 * nevertheless; the record in memory is right, and the next daemon learns the end from the task.
 */
export function saveAnyway(deps: Pick<CoreDeps, 'store' | 'log'>, record: ContainerRecord): void {
  try {
    deps.store.save(record);
  } catch (thrown) {
    deps.log.error('container state not saved', { container: record.id, error: thrown });
  }
}
