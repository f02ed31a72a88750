export { Lease, Leases } from './leases.ts';
export { openContentStore } from './local.ts';
export { openMemoryContentStore } from './memory.ts';
export type * from './types.ts';
