import { writeSync } from 'node:fs';
import { check, lastErrno } from './errno.ts';
import { type Fd, O } from './fd.ts';
import { libcFunction } from './libc.ts';
import { openat2 } from './openat2.ts';

const CLONE_NEWNET = 0x40000000;
/** Of the thread, not of the process: workers have namespaces of their own. */
export const OWN_NETNS = '/proc/thread-self/ns/net';

const setnsCall = libcFunction<[number, number]>('int setns(int fd, int type)');
const exitNow = libcFunction<[number], void>('void _exit(int status)');

let depth = 0;

/** True while the thread stands in a network namespace other than its own, inside `withNetns`. */
export function inOtherNetns(): boolean {
  return depth > 0;
}

/**
 * Runs `work` with this thread in another network namespace, and comes back. `work` must be synchronous: what it
 * awaited would run in the wrong namespace. Sockets it opens stay in that namespace.
 * Should the way back fail, the process ends at once: to go on would configure the wrong network.
 */
export function withNetns<T>(target: string | Fd | number, work: () => T): T {
  using opened = typeof target === 'string' ? openFile(target) : undefined;
  const fd = opened?.fd ?? (typeof target === 'number' ? target : (target as Fd).fd);
  return awayFromNetns(() => {
    check(setnsCall(fd, CLONE_NEWNET), 'setns', typeof target === 'string' ? target : `descriptor ${fd}`);
    return work();
  });
}

/** Runs `work`, which changes the namespace itself, and comes back in every case. */
export function awayFromNetns<T>(work: () => T): T {
  using home = openFile(OWN_NETNS);
  depth += 1;
  try {
    const result = work();
    if (result instanceof Promise)
      throw new TypeError('work in another network namespace must be synchronous');
    return result;
  } finally {
    depth -= 1;
    if (setnsCall(home.fd, CLONE_NEWNET) < 0) {
      writeSync(
        2,
        `cannot return to the host's network namespace (errno ${lastErrno()}); stopping at once\n`,
      );
      exitNow(70);
    }
  }
}

function openFile(path: string): Fd {
  return openat2('.', path, { flags: O.RDONLY });
}
