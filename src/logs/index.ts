export { rotationPolicy } from './policy.ts';
export { openLogReader } from './reader.ts';
export { openLogRotator } from './rotation.ts';
export { formatTag, type TagSource } from './tag.ts';
export type * from './types.ts';
