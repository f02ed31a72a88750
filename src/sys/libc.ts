import { createRequire } from 'node:module';
import type koffi from 'koffi';

type Koffi = typeof koffi;

let loaded: Koffi | undefined;
let ownSymbols: ReturnType<Koffi['load']> | undefined;

/** The FFI library; its native part is loaded by the first call, never on import. */
export function ffi(): Koffi {
  loaded ??= createRequire(import.meta.url)('koffi') as Koffi;
  return loaded;
}

/**
 * A C function of the running process (libc among it), bound by its prototype when it is first called.
 * Pointer arguments take a Buffer (passed in place, without a copy), an address as bigint, or null.
 */
export function libcFunction<A extends readonly unknown[], R = number>(prototype: string): (...args: A) => R {
  let bound: ((...args: A) => R) | undefined;
  return (...args) => {
    if (!bound) {
      ownSymbols ??= ffi().load(null);
      bound = ownSymbols.func(prototype) as unknown as (...args: A) => R;
    }
    return bound(...args);
  };
}

/**
 * As `libcFunction`, of integers, for a call that may take long: it is made in libuv's thread pool. Its errno stays in that
 * thread, so that a failure says no more than its result.
 */
export function libcFunctionLater<A extends readonly number[]>(
  prototype: string,
): (...args: A) => Promise<number> {
  let bound: ReturnType<ReturnType<Koffi['load']>['func']> | undefined;
  return (...args) => {
    if (!bound) {
      ownSymbols ??= ffi().load(null);
      bound = ownSymbols.func(prototype);
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    bound.async(...args, (error: unknown, result: number) => (error ? reject(error) : resolve(result)));
    return promise;
  };
}

/** The address of a Buffer's first byte. The Buffer must be kept reachable for as long as the address is in use. */
export function addressOf(buffer: Buffer): bigint {
  return ffi().address(buffer);
}

/** `syscall(2)`, for what glibc has no wrapper for. The numbers used are the same on x64 and arm64. */
export const syscallPath = libcFunction<[number, number, string, Buffer, number, number, number]>(
  'long syscall(long number, long a, const char *b, void *c, long d, long e, long f)',
);

/** `syscall(2)` with integers only. */
export const syscallNumbers = libcFunction<[number, number, number, number | null, number]>(
  'long syscall(long number, long a, long b, void *c, long d)',
);
