import type { NetworkRecord } from '../../network/types.ts';
import type { EventBus } from '../events/types.ts';

/** `network create` and `network destroy`. */
export function publishNetwork(events: EventBus, action: 'create' | 'destroy', network: NetworkRecord): void {
  const attributes = { name: network.name, type: network.driver };
  events.publish({ type: 'network', action, id: network.id, attributes });
}
