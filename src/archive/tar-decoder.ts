import { isKind } from '../base/index.ts';
import { encodeName } from '../sys/index.ts';
import { corrupt, refuse } from './limits.ts';
import { applyExtensions, type Extensions, parsePax } from './pax.ts';
import { BLOCK, decodeHeader, entryType, isZeroBlock, type RawHeader } from './tar-format.ts';
import type { ArchiveLimits, TarHeader } from './types.ts';

/** Takes what a decoder finds, in order: an entry, its content in pieces, its end. All synchronous. */
export interface TarSink {
  entry(header: TarHeader): void;
  data(bytes: Uint8Array): void;
  end(): void;
}

const META = new Set(['x', 'g', 'L', 'K', 'X']);

/** Decodes a tar that is pushed in pieces of any size. It holds at most one block and one extension header in memory. */
export class TarDecoder {
  private readonly sink: TarSink;
  private readonly limits: ArchiveLimits;
  private readonly block = Buffer.alloc(BLOCK);
  private filled = 0;
  private state: 'header' | 'meta' | 'body' | 'padding' | 'done' = 'header';
  private left = 0;
  private padding = 0;
  private zeros = 0;
  /** A header was found: whatever is wrong afterwards, it is a tar. */
  private begun = false;
  private entries = 0;
  private total = 0;
  private meta: { type: string; bytes: Buffer; at: number } | undefined;
  private extensionBytes = 0;
  private local: Extensions = new Map();
  private readonly global: Extensions = new Map();

  constructor(sink: TarSink, limits: ArchiveLimits) {
    this.sink = sink;
    this.limits = limits;
  }

  /** Takes the next bytes. Errors: `corrupt`, `invalid`, and what the sink throws. */
  push(chunk: Uint8Array): void {
    this.total += chunk.byteLength;
    if (this.total > this.limits.maxBytes) refuse(`it unpacks to more than ${this.limits.maxBytes} bytes`);
    for (let at = 0; at < chunk.byteLength && this.state !== 'done'; ) at += this.step(chunk, at);
  }

  /** Says that no more comes. Errors: `corrupt` when the archive ends in the middle of something. */
  finish(): void {
    const whole = this.state === 'done' || (this.state === 'header' && this.filled === 0);
    // A writer may leave out the padding of its last entry; GNU tar reads that, too.
    if (!whole && this.state !== 'padding') corrupt('it ends in the middle: it was cut off');
    if (this.local.size > 0) corrupt('it ends with an extension header that belongs to nothing');
  }

  private step(chunk: Uint8Array, at: number): number {
    if (this.state === 'header') return this.takeHeader(chunk, at);
    if (this.state === 'padding') {
      const skip = Math.min(this.padding, chunk.byteLength - at);
      this.padding -= skip;
      if (this.padding === 0) this.state = 'header';
      return skip;
    }
    const take = Math.min(this.left, chunk.byteLength - at);
    const bytes = chunk.subarray(at, at + take);
    this.left -= take;
    if (this.meta) {
      this.meta.bytes.set(bytes, this.meta.at);
      this.meta.at += take;
    } else this.sink.data(bytes);
    if (this.left === 0) this.endBody();
    return take;
  }

  private takeHeader(chunk: Uint8Array, at: number): number {
    const take = Math.min(BLOCK - this.filled, chunk.byteLength - at);
    this.block.set(chunk.subarray(at, at + take), this.filled);
    this.filled += take;
    if (this.filled === BLOCK) {
      this.filled = 0;
      this.header();
    }
    return take;
  }

  private header(): void {
    if (isZeroBlock(this.block)) {
      this.zeros += 1;
      if (this.zeros === 2) this.state = 'done';
      return;
    }
    if (this.zeros > 0) corrupt('data follows its end mark');
    const raw = this.decode();
    if (raw.size < 0) corrupt(`${JSON.stringify(raw.name)} has a negative size`);
    if (META.has(raw.type)) this.beginMeta(raw);
    else this.beginEntry(raw);
  }

  private decode(): RawHeader {
    try {
      const raw = decodeHeader(this.block);
      this.begun = true;
      return raw;
    } catch (thrown) {
      if (this.begun || !isKind(thrown, 'corrupt')) throw thrown;
      // Another file by mistake: what its bytes would mean in a tar tells nobody anything.
      return corrupt('the input is not a tar archive (nor one packed by gzip or zstd)', thrown);
    }
  }

  private beginMeta(raw: RawHeader): void {
    this.extensionBytes += raw.size + BLOCK;
    if (
      raw.size > this.limits.maxExtensionBytes ||
      this.extensionBytes > this.limits.maxExtensionBytes + 8 * BLOCK
    ) {
      refuse(`an extension header has more than ${this.limits.maxExtensionBytes} bytes`);
    }
    this.meta = { type: raw.type, bytes: Buffer.alloc(raw.size), at: 0 };
    this.begin(raw.size, 'meta');
  }

  private beginEntry(raw: RawHeader): void {
    this.entries += 1;
    if (this.entries > this.limits.maxEntries) refuse(`it has more than ${this.limits.maxEntries} entries`);
    const header = applyExtensions(raw, this.global, this.local);
    if (this.local.size > 0) this.local = new Map();
    this.extensionBytes = 0;
    const type = entryType({ ...raw, name: header.name });
    if (header.name === '') corrupt('an entry has no name');
    for (const name of [header.name, header.linkName]) {
      if (encodeName(name).length > this.limits.maxNameBytes)
        refuse(`a name has more than ${this.limits.maxNameBytes} bytes`);
      if (name.includes('\0')) refuse('a name holds a NUL');
    }
    // Links, directories and nodes have no content, whatever their size field says.
    const size = type === 'file' ? header.size : 0;
    this.sink.entry({ ...header, type, size });
    this.begin(size, 'body');
  }

  private begin(size: number, state: 'meta' | 'body'): void {
    this.state = state;
    this.left = size;
    this.padding = (BLOCK - (size % BLOCK)) % BLOCK;
    if (size === 0) this.endBody();
  }

  private endBody(): void {
    this.state = this.padding > 0 ? 'padding' : 'header';
    const { meta } = this;
    this.meta = undefined;
    if (!meta) {
      this.sink.end();
      return;
    }
    const until = meta.bytes.indexOf(0);
    const text = () => meta.bytes.subarray(0, until < 0 ? meta.bytes.length : until);
    if (meta.type === 'L') this.local.set('path', Buffer.from(text()));
    else if (meta.type === 'K') this.local.set('linkpath', Buffer.from(text()));
    else if (meta.type === 'g') this.keepGlobal(parsePax(meta.bytes));
    else for (const [key, value] of parsePax(meta.bytes)) this.local.set(key, value);
  }

  /** Global records live as long as the archive, so that all of them together are bounded; copied, lest each keeps its whole header. */
  private keepGlobal(records: Extensions): void {
    for (const [key, value] of records) this.global.set(key, Buffer.from(value));
    let bytes = 0;
    for (const [key, value] of this.global) bytes += key.length + value.length;
    if (this.global.size > 1000 || bytes > this.limits.maxExtensionBytes)
      refuse(
        `it has more than 1000 global records, or more than ${this.limits.maxExtensionBytes} bytes of them`,
      );
  }
}
