import type { Filters } from '../../api/filters.ts';
import type { Plan } from '../../api/index.ts';

/** What a prune looks at; `system` is all of the others together. */
export type PruneKind = 'containers' | 'images' | 'volumes' | 'networks' | 'system' | 'builder';

/** What can be removed by name. */
export type RemoveKind = 'containers' | 'images' | 'volumes' | 'networks';

/**
 * Destructive commands told beforehand: what they would take away now, with bytes. A plan changes nothing, publishes
 * nothing, and is decided by the function that decides for the command. Wharf's own.
 */
export interface PlansBackend {
  /**
   * `all`: named volumes, or images with tags, too. `volumes`: a `system` prune takes anonymous volumes along.
   * Errors: `invalid` filter, with the words of the prune itself.
   */
  prune(kind: PruneKind, filters: Filters, options: { all: boolean; volumes: boolean }): Promise<Plan>;
  /** One after the other, each as its own command. What would be refused is an item with a `Reason`. `volumes`: as in `rm -v`. */
  remove(kind: RemoveKind, refs: string[], options: { force: boolean; volumes: boolean }): Promise<Plan>;
}
