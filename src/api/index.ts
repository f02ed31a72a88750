export type { Filters } from './filters.ts';
export type * from './types/index.ts';
