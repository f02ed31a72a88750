import { flushCompileCache } from 'node:module';
import { libcFunction } from './libc.ts';

const exit = libcFunction<[number], void>('void _exit(int status)');

/**
 * Ends the process at once (_exit(2)): nothing is waited for, so whatever must be written was written before. `process.exit`
 * waits for V8's threads, and one that compiles may by then wait for the main thread, for ever.
 */
export function exitNow(code: number): never {
  flushCompileCache();
  exit(code);
  throw new Error('_exit returned');
}
