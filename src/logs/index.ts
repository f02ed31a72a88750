export { openLogReader } from './reader.ts';
export type * from './types.ts';
