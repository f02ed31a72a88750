import { Readable } from 'node:stream';
import { extractView, extractViewHere, packViewHere } from '../../archive/index.ts';
import { WharfError } from '../../base/index.ts';
import { type Fd, O, openat2 } from '../../sys/index.ts';
import type { LocalSource } from './local-ends.ts';

/** The tar of a file or folder here, its entry under that name. */
export async function* packLocal(source: LocalSource, name: string): AsyncGenerator<Buffer> {
  using root = openFolder(source.folder);
  // A thread of its own would be ready when most copies are done.
  yield* packViewHere(viewOf(root), { path: `/${source.name}`, name });
}

/**
 * Unpacks a tar in a folder here, and nowhere else, whatever links are in the archive or in the folder. All belongs to
 * whoever runs this, unless `keepOwners`.
 */
export async function extractLocal(
  archive: AsyncIterable<Uint8Array>,
  folder: string,
  keepOwners: boolean,
): Promise<void> {
  using root = openFolder(folder);
  const owner = keepOwners ? undefined : { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const rules = { overwriteDirNonDir: false, owner };
  try {
    const { whole, rest } = await beginning(archive);
    if (whole) extractViewHere(viewOf(root), '/', whole, rules);
    else await extractView(viewOf(root), '/', rest, rules);
  } catch (thrown) {
    throw inFolder(thrown, folder);
  }
}

/** What is no longer than this is unpacked before a thread would be ready. Bytes. */
const SMALL = 1 << 20;

/** The pieces of a small archive, or all of a large one. */
async function beginning(
  archive: AsyncIterable<Uint8Array>,
): Promise<{ whole?: Uint8Array[]; rest: AsyncIterable<Uint8Array> }> {
  const source = archive[Symbol.asyncIterator]();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  while (bytes <= SMALL) {
    const next = await source.next();
    if (next.done) return { whole: pieces, rest: archive };
    pieces.push(next.value);
    bytes += next.value.length;
  }
  const rest = { [Symbol.asyncIterator]: () => source };
  return {
    rest: (async function* () {
      yield* pieces;
      yield* rest;
    })(),
  };
}

function openFolder(folder: string): Fd {
  return openat2(folder, '.', { flags: O.PATH | O.DIRECTORY });
}

const viewOf = (root: Fd) => ({ root: root.fd, mounts: [] });

/** A refusal to replace something names it from the folder that is unpacked in; it is told by its whole path. */
export function inFolder(thrown: unknown, folder: string): unknown {
  if (!(thrown instanceof WharfError)) return thrown;
  const base = folder.replace(/\/+$/, '');
  const message = thrown.message.replace(
    /^(cannot overwrite \S+ )("(?:[^"\\]|\\.)*")( with \S+ )"\/"$/,
    (_all, start: string, name: string, middle: string) =>
      `${start}${JSON.stringify(`${base}/${JSON.parse(name)}`)}${middle}${JSON.stringify(base || '/')}`,
  );
  return message === thrown.message ? thrown : new WharfError(thrown.kind, message, { cause: thrown });
}

/** A stream of that, for a request; pieces go on as they come. */
export function bodyOf(archive: AsyncIterable<Uint8Array>): Readable {
  return Readable.from(archive, { objectMode: false, highWaterMark: 1 << 20 });
}
