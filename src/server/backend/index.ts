export type * from './commits.ts';
export type * from './containers.ts';
export type * from './copies.ts';
export type * from './images.ts';
export type * from './networks.ts';
export type * from './plans.ts';
export type * from './streams.ts';
export type * from './system.ts';
