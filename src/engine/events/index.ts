export { createEventBus } from './bus.ts';
export { filterEvents } from './filter.ts';
export type * from './types.ts';
