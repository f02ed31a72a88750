import type { NetworkStack } from '../../network/types.ts';

/** What the operations on networks use. */
export interface NetworkDeps {
  stack: Pick<NetworkStack, 'list' | 'get' | 'sandboxes'>;
  /** A container's name by id, without the slash; undefined when it is gone. */
  containerName(containerId: string): string | undefined;
}
