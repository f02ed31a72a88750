import type { CoreDeps } from './lifecycle-deps.ts';
import type { WaitResult } from './live.ts';
import type { WaitCondition } from './session.ts';

/**
 * Finds the container, then promises its exit. `not-running` answers at once when nothing runs; `next-exit` waits for
 * an exit to come; `removed` survives the removal. A wait whose client has gone never settles and holds nothing.
 */
export async function waitContainer(
  deps: Pick<CoreDeps, 'store' | 'live'>,
  ref: string,
  condition: WaitCondition,
  signal?: AbortSignal,
): Promise<{ done: Promise<WaitResult> }> {
  const record = deps.store.resolve(ref);
  const { status } = record.state;
  const runs = status === 'running' || status === 'paused' || status === 'restarting';
  if (condition === 'not-running' && !runs) {
    const { exitCode, error } = record.state;
    return { done: Promise.resolve(error ? { exitCode, error } : { exitCode }) };
  }
  const done = new Promise<WaitResult>((resolve) => {
    const leave = deps.live.of(record.id).addWaiter(condition, (result) => {
      signal?.removeEventListener('abort', leave);
      resolve(result);
    });
    signal?.addEventListener('abort', leave, { once: true });
  });
  return { done };
}
