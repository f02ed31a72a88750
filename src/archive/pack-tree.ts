import { type Fd, O, openat2 } from '../sys/index.ts';
import { packInThread } from './pack-view.ts';
import type { PackRules } from './tree-packer.ts';

/** How a directory is packed. */
export interface PackOptions extends PackRules {
  /** Put before each name, without slashes around it. */
  prefix?: string;
}

/**
 * Packs what is in a directory, in a thread and by descriptors alone, so that a tree that changes meanwhile can't lead
 * elsewhere. Sorted by name, parents first; the same tree gives the same bytes. Sockets are left out. The root itself has
 * no entry. A descriptor may be closed once the iterator ended or was returned.
 */
export async function* packTree(
  dir: string | Fd,
  { prefix, ...rules }: PackOptions,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  using opened = typeof dir === 'string' ? openat2(dir, '.', { flags: O.PATH | O.DIRECTORY }) : undefined;
  const view = { root: (opened ?? (dir as Fd)).fd, mounts: [] };
  const name = prefix ? `${prefix}/` : '';
  yield* packInThread({ rules, view, path: '/', followRoot: true, name, contentsOnly: true }, signal);
}
