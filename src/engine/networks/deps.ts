import type { Clock } from '../../base/index.ts';
import type { NetworkStack } from '../../network/types.ts';
import type { AttachDeps, LiveContainers } from '../containers/index.ts';

/** What the operations on networks use. */
export interface NetworkDeps extends AttachDeps {
  networks: AttachDeps['networks'] &
    Pick<NetworkStack, 'list' | 'create' | 'remove' | 'renumber' | 'sandboxes' | 'exposure' | 'warnings'>;
  live: Pick<LiveContainers, 'task'>;
  clock: Clock;
}
