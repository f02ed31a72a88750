import { WharfError } from '../base/index.ts';
import { BackgroundThread } from './background-thread.ts';
import { type DeleteAnswer, errorOfParts } from './delete-tree.ts';
import { type MountRequest, umountIfMounted } from './mount.ts';

/** From the thread: mounted, or what it failed with. */
export type MountAnswer = Pick<DeleteAnswer, 'error'>;

/**
 * As `mount`, in a thread of its own: the kernel may wait for a server that never answers. After `patience` milliseconds it is
 * given up; should it succeed later, it is taken away again. Errors: those of `mount`; `unavailable`.
 */
export function mountLater(request: MountRequest, patience: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let isGivenUp = false;
  const thread = new BackgroundThread<MountRequest, MountAnswer>(
    new URL('./mount-later-thread.ts', import.meta.url),
    {
      message({ error }) {
        clearTimeout(timer);
        thread.rest();
        if (error) reject(errorOfParts(error));
        else if (isGivenUp) umountIfMounted(request.target, { detach: true });
        else resolve();
      },
      end: (reason) => reject(WharfError.from(reason)),
    },
  );
  const timer = setTimeout(() => {
    isGivenUp = true;
    reject(new WharfError('unavailable', `no answer in ${patience / 1000} seconds`));
  }, patience);
  thread.work();
  thread.post(request);
  return promise;
}
