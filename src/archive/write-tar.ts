import { WharfError } from '../base/index.ts';
import { BLOCK, encodeHeader, padding } from './tar-format.ts';
import type { TarHeader } from './types.ts';

/** What a writer needs of an entry; the rest has defaults: mode 0644 or 0755, owner root, time 0, no content. */
export type TarInput = Pick<TarHeader, 'name'> &
  Partial<TarHeader> & { body?: Uint8Array | AsyncIterable<Uint8Array> | undefined };

/** Encodes entries as a tar of ustar and PAX headers. The same entries give the same bytes. */
export async function* writeTar(
  entries: AsyncIterable<TarInput> | Iterable<TarInput>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const entry of entries) {
    const { body } = entry;
    const header = withDefaults(entry);
    yield encodeHeader(header);
    if (header.size === 0) continue;
    let size = 0;
    for await (const chunk of body instanceof Uint8Array ? [body] : (body ?? [])) {
      size += chunk.byteLength;
      if (chunk.byteLength > 0) yield chunk;
    }
    if (size !== header.size) {
      throw new WharfError(
        'internal',
        `archive: ${header.name} has ${size} bytes, its header says ${header.size}`,
      );
    }
    const fill = padding(size);
    if (fill.length > 0) yield fill;
  }
  yield endOfTar();
}

/** The two blocks that end a tar. */
export function endOfTar(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}

/** Builds a small tar in memory, entry by entry. */
export class TarPacker {
  private readonly parts: Uint8Array[] = [];

  /** Adds an entry whose body, if any, is at hand. */
  add(entry: TarInput & { body?: Uint8Array | undefined }): this {
    const body = entry.body ?? new Uint8Array();
    this.parts.push(encodeHeader(withDefaults({ ...entry, body })), body, padding(body.byteLength));
    return this;
  }

  /** The whole tar with its end. */
  finish(): Buffer {
    return Buffer.concat([...this.parts, endOfTar()]);
  }
}

function withDefaults(entry: TarInput): TarHeader {
  const type = entry.type ?? (entry.name.endsWith('/') ? 'directory' : 'file');
  const length = entry.body instanceof Uint8Array ? entry.body.byteLength : 0;
  return {
    linkName: '',
    mode: type === 'directory' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    mtimeNs: 0n,
    devMajor: 0,
    devMinor: 0,
    xattrs: new Map(),
    ...entry,
    type,
    name: type === 'directory' && !entry.name.endsWith('/') ? `${entry.name}/` : entry.name,
    size: type === 'file' ? (entry.size ?? length) : 0,
  };
}
