import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseJson } from '../../api/index.ts';
import { decompress, readTar } from '../../archive/index.ts';
import { WharfError } from '../../base/index.ts';
import { type Digest, parseDigest } from '../../oci/index.ts';

/** One regular file of a spooled archive. */
export interface SpooledFile {
  path: string;
  size: number;
  digest: Digest;
}

const MAX_FILES = 50_000;
const MAX_DOCUMENT_BYTES = 16 << 20;

/**
 * An image archive unpacked into numbered files, since its index comes last and its members in any order. Names in
 * the archive are only keys of a map: none of them ever becomes a path.
 */
export class ArchiveSpool implements AsyncDisposable {
  private readonly files = new Map<string, SpooledFile>();
  private readonly links = new Map<string, string>();
  private readonly directory: string;
  /** Members taken so far; one that comes twice counts twice and has a file of its own, since the first may be known by its digest. */
  private taken = 0;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Reads the whole stream. Errors: `invalid` and `corrupt` for what is not a whole tar. */
  static async read(
    source: AsyncIterable<Uint8Array>,
    temporary: string,
    signal: AbortSignal,
  ): Promise<ArchiveSpool> {
    const spool = new ArchiveSpool(await mkdtemp(join(temporary, 'load-')));
    try {
      await spool.fill(source, signal);
      return spool;
    } catch (thrown) {
      await spool[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** A file by its name in the archive, links of the archive followed. */
  file(name: string): SpooledFile | undefined {
    let key = cleanName(name);
    for (let hops = 0; hops < 10; hops++) {
      const found = this.files.get(key);
      if (found) return found;
      const target = this.links.get(key);
      if (target === undefined) return undefined;
      key = target;
    }
    return undefined;
  }

  /** Names of the files, those of links left out. */
  names(): Iterable<string> {
    return this.files.keys();
  }

  /** The parsed JSON of a document, or undefined when the archive has none of that name. Errors: `invalid`, with Docker's texts. */
  async json(name: string): Promise<unknown> {
    const bytes = await this.bytes(name);
    if (!bytes) return undefined;
    return parseJson(bytes.toString('utf8'));
  }

  /** The bytes of a small document. Errors: `invalid` above 16 MiB. */
  async bytes(name: string): Promise<Buffer | undefined> {
    const file = this.file(name);
    if (!file) return undefined;
    if (file.size > MAX_DOCUMENT_BYTES)
      throw new WharfError('invalid', `${name} in the archive is too large`);
    return readFile(file.path);
  }

  open(file: SpooledFile): Readable {
    return createReadStream(file.path, { highWaterMark: 1 << 20 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  private async fill(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    for await (const entry of readTar(decompress(source))) {
      signal.throwIfAborted();
      const name = cleanName(entry.name);
      if (entry.type === 'symlink') {
        this.links.set(name, cleanName(posix.join(posix.dirname(name), entry.linkName)));
      } else if (entry.type === 'link') {
        this.links.set(name, cleanName(entry.linkName));
      } else if (entry.type === 'file') {
        this.files.set(name, await this.spool(entry.body, signal));
      }
      if (++this.taken > MAX_FILES) {
        throw new WharfError('invalid', `the archive holds more than ${MAX_FILES} members`);
      }
    }
  }

  private async spool(body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<SpooledFile> {
    const path = join(this.directory, String(this.taken));
    const hash = createHash('sha256');
    let size = 0;
    const counted = async function* () {
      for await (const chunk of body) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    };
    await pipeline(
      Readable.from(counted(), { objectMode: false }),
      createWriteStream(path, { mode: 0o600 }),
      { signal },
    );
    return { path, size, digest: parseDigest(`sha256:${hash.digest('hex')}`) };
  }
}

/** `./a/../b` → `b`; a name can't leave the archive since it is only a key. */
function cleanName(name: string): string {
  return posix.normalize(`/${name}`).slice(1).replace(/\/$/, '');
}
