import { WharfError } from '../base/index.ts';
import type { CopyRequest, CopyStep } from './copy-job.ts';
import type { ExtractOptions } from './extract-view.ts';
import type { PackViewOptions } from './pack-view.ts';
import type { TreeView } from './view.ts';
import { beginWork } from './work-threads.ts';

/** Where a copy comes from. */
export interface CopySource extends Pick<PackViewOptions, 'path' | 'name'> {
  view: TreeView;
}

/** Where a copy goes. */
export interface CopyTarget extends Omit<ExtractOptions, 'signal'> {
  view: TreeView;
  /** The folder. */
  path: string;
}

/**
 * Copies a file or folder of a view into a folder of another, in one thread: as `extractView` would the tar of `packView`,
 * to the last bit. Tells how far it is now and then, and at its end. The views' descriptors may be closed once the iterator
 * ended or was returned. What fails is told by the last step, with the end that it failed at. Errors: `cancelled`.
 */
export async function* copyView(
  source: CopySource,
  target: CopyTarget,
  signal?: AbortSignal,
): AsyncGenerator<CopyStep, void, undefined> {
  if (signal?.aborted) throw cancelled();
  const work = beginWork({ copy: requestOf(source, target) });
  const cancel = () => void work.stop();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    for (let bytes = await work.progress(); bytes !== undefined; bytes = await work.progress())
      yield { bytes };
    if (signal?.aborted) throw cancelled();
    yield work.copied;
  } finally {
    signal?.removeEventListener('abort', cancel);
    await work.stop();
  }
}

function requestOf(source: CopySource, { view, path, ...rules }: CopyTarget): CopyRequest {
  const pack = { mode: 'tree', wholeSeconds: true } as const;
  return {
    source: { rules: pack, followRoot: false, contentsOnly: false, ...source },
    target: { view, path, rules },
  };
}

function cancelled(): WharfError {
  return new WharfError('cancelled', 'the copying was cancelled');
}
