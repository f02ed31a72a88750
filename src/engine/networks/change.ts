import { WharfError } from '../../base/index.ts';
import type { NetworkDeps } from './deps.ts';
import { BUILTIN } from './filters.ts';

/** Refuses to make a network: only the three built-in ones are there. Errors: always one of `invalid` (no name), `forbidden` (the name is built in), `not-implemented`. */
export function createNetwork(_deps: NetworkDeps, { name }: { name: string }): never {
  if (name.trim() === '') throw new WharfError('invalid', 'invalid name: name is empty');
  if (BUILTIN.has(name) || name === 'default')
    throw new WharfError('forbidden', `operation is not permitted on predefined ${name} network `);
  throw new WharfError(
    'not-implemented',
    `cannot create network ${name}: user-defined networks are not available in this version; use bridge, host or none`,
  );
}

/** Refuses to remove a network. Errors: always `forbidden` (built in), `not-found`. */
export function removeNetwork({ stack }: NetworkDeps, { ref }: { ref: string }): never {
  const { name } = stack.get(ref);
  throw new WharfError('forbidden', `${name} is a pre-defined network and cannot be removed`);
}
