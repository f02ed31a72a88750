import { basename, dirname } from 'node:path';
import { type ErrorKind, errnoCode, WharfError } from '../base/index.ts';
import { BackgroundThread } from './background-thread.ts';
import { isErrno } from './errno.ts';
import { O } from './fd.ts';
import { openat2 } from './openat2.ts';
import { TreeRemoval } from './remove-tree.ts';

/** What is removed at once: less than a thread's start costs, and than anybody notices. */
const SMALL = { names: 128, largest: 1 << 20 };

/** To the thread: delete this, which its parent names. */
export interface DeleteRequest {
  id: number;
  path: string;
}

/** From the thread: it is gone, or what could not be removed. */
export interface DeleteAnswer {
  id: number;
  error?: { kind: ErrorKind; message: string; code: string | undefined };
}

/**
 * Deletes a file or a folder with all below it, as `removeTree` does; `path` is one of ours. What is more than a few files is
 * deleted in a thread, which takes turns. Nothing there is no error. Errors: the first thing that can't be removed.
 */
export async function deleteTree(path: string): Promise<void> {
  try {
    if (!deleteSmall(path)) await deleteInThread(path);
  } catch (thrown) {
    if (!isErrno(thrown, 'ENOENT')) throw thrown;
  }
}

/** Deletes what a path of ours names, by steps that the caller takes. Errors: `not-found`. */
export function* deletion(path: string, names: number, largest?: number): Generator<undefined, void> {
  using parent = openat2(dirname(path), '.', { flags: O.PATH | O.DIRECTORY });
  using removal = new TreeRemoval(parent, basename(path), largest === undefined ? {} : { largest });
  while (!removal.step(names)) yield;
}

function deleteSmall(path: string): boolean {
  const steps = deletion(path, SMALL.names, SMALL.largest);
  const { done } = steps.next();
  steps.return();
  return done === true;
}

const waiting = new Map<number, PromiseWithResolvers<void>>();
let thread: BackgroundThread<DeleteRequest, DeleteAnswer> | undefined;
let count = 0;

function deleteInThread(path: string): Promise<void> {
  thread ??= new BackgroundThread<DeleteRequest, DeleteAnswer>(
    new URL('./delete-tree-thread.ts', import.meta.url),
    { message: settle, end },
  );
  thread.work();
  count += 1;
  const deleted = Promise.withResolvers<void>();
  waiting.set(count, deleted);
  thread.post({ id: count, path });
  return deleted.promise;
}

function settle({ id, error }: DeleteAnswer): void {
  const deleted = waiting.get(id);
  waiting.delete(id);
  if (error) deleted?.reject(errorOfParts(error));
  else deleted?.resolve();
  if (waiting.size === 0) thread?.rest();
}

function end(reason: unknown): void {
  thread = undefined;
  for (const { reject } of waiting.values()) reject(WharfError.from(reason));
  waiting.clear();
}

/** The error whose parts came from a thread. */
export function errorOfParts({ kind, message, code }: NonNullable<DeleteAnswer['error']>): WharfError {
  const cause = code === undefined ? undefined : Object.assign(new Error(message), { code });
  return new WharfError(kind, message, { cause });
}

/** An error's parts, for another thread. */
export function errorParts(thrown: unknown): DeleteAnswer['error'] {
  const error = WharfError.from(thrown);
  return { kind: error.kind, message: error.message, code: errnoCode(error.cause) };
}
