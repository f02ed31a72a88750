export { openDatabase, openMemoryDatabase } from './sqlite.ts';
export type * from './types.ts';
