import { WharfError } from '../base/index.ts';
import { PackJob, type PackRequest } from './pack-job.ts';
import type { TreeView } from './view.ts';
import { beginWork } from './work-threads.ts';

/** Pieces that are made before they are asked for. */
const AHEAD = 3;

/** What of a view is packed, and how. */
export interface PackViewOptions {
  /** A file or folder of the view. */
  path: string;
  /** The name of its entry; names beneath are put behind it. */
  name: string;
  /** Whether a link at `path` is followed. A path with a slash behind always is. */
  followRoot?: boolean | undefined;
  /** Without an entry of its own: what is in the folder, behind `name`, which ends in a slash or is empty. */
  contentsOnly?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The tar of a file or folder as the container sees it, mounts beneath included. Made in a thread while it is read; the
 * view's descriptors may be closed once the iterator ended or was returned. Times are whole seconds, as in Docker's. A
 * piece is its reader's. Errors: as `locate`; `cancelled`.
 */
export function packView(view: TreeView, options: PackViewOptions): AsyncGenerator<Buffer, void, undefined> {
  const { path, name, followRoot = false, contentsOnly = false, signal } = options;
  const rules = { mode: 'tree', wholeSeconds: true } as const;
  return packInThread({ rules, view, path, followRoot, name, contentsOnly }, signal);
}

/** As `packView`, in the calling thread, which waits for the disk: for a program that does nothing else meanwhile. */
export function* packViewHere(
  view: TreeView,
  { path, name, followRoot = false, contentsOnly = false }: Omit<PackViewOptions, 'signal'>,
): Generator<Buffer, void, undefined> {
  const rules = { mode: 'tree', wholeSeconds: true } as const;
  using job = new PackJob({ rules, view, path, followRoot, name, contentsOnly });
  for (let piece = job.step(); piece; piece = job.step())
    yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
}

/** The pieces of a tar that a thread packs. */
export async function* packInThread(
  request: PackRequest,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  if (signal?.aborted) throw cancelled();
  const work = beginWork({ pack: request });
  const cancel = () => void work.stop();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    work.want(AHEAD);
    for (let piece = await work.next(); piece && !signal?.aborted; piece = await work.next()) {
      yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      work.want(1);
    }
    if (signal?.aborted) throw cancelled();
  } finally {
    signal?.removeEventListener('abort', cancel);
    await work.stop();
  }
}

function cancelled(): WharfError {
  return new WharfError('cancelled', 'the packing was cancelled');
}
