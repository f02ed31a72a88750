import type { EventMessage } from '../../api/index.ts';

/** What happened, before the bus adds time and scope. */
export interface EngineEvent {
  type: 'container' | 'image' | 'network' | 'volume' | 'daemon' | 'builder';
  action: string;
  id: string;
  attributes: Record<string, string>;
}

/** The engine's events, in one order for all subscribers. The last 1,024 are kept for `since`. */
export interface EventBus {
  publish(event: EngineEvent): void;
  /**
   * Past events from `since` on (nanoseconds), then live ones, until `until` or the signal. A subscriber more than
   * 4,096 events behind is cut off with `unavailable`.
   */
  subscribe(range: { since?: bigint; until?: bigint }, signal: AbortSignal): AsyncIterable<EventMessage>;
}
