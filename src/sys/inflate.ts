import { WharfError } from '../base/index.ts';
import { addressOf, ffi, libcFunction } from './libc.ts';

/**
 * Decompressors of the zlib and zstd that Node carries and exports, called in place: the calling thread does the work, and
 * nothing is copied or allocated on the way. Node's own streams pass every piece through the thread pool and new buffers.
 */
export interface Inflater extends Disposable {
  /**
   * Takes compressed bytes and gives what they hold to `take`, in pieces that are valid only during the call. What `take`
   * throws comes through; the inflater is of no use after an error. Errors: `corrupt`, `exhausted`.
   */
  push(input: Buffer, take: (bytes: Buffer) => void): void;
  /** Says that no more comes. Errors: `corrupt` when the data is cut. */
  finish(): void;
}

type Address = bigint;
const inflateInit2 = libcFunction<[Buffer, number, string, number]>(
  'int inflateInit2_(void *stream, int windowBits, const char *version, int size)',
);
const inflate = libcFunction<[Buffer, number]>('int inflate(void *stream, int flush)');
const inflateReset = libcFunction<[Buffer]>('int inflateReset(void *stream)');
const inflateEnd = libcFunction<[Buffer]>('int inflateEnd(void *stream)');
const createContext = libcFunction<[], Address | null>('void *ZSTD_createDCtx()');
const freeContext = libcFunction<[Address]>('size_t ZSTD_freeDCtx(void *context)');
// The results are of size_t, where errors are the highest numbers: as signed ones they are negative.
const decompressStream = libcFunction<[Address, Buffer, Buffer]>(
  'int64_t ZSTD_decompressStream(void *context, void *output, void *input)',
);
const errorName = libcFunction<[number], string>('const char *ZSTD_getErrorName(int64_t code)');

/** Of zlib's z_stream on 64-bit systems (zlib.h): what it is read and written by here. */
const STREAM = { nextIn: 0, availableIn: 8, nextOut: 24, availableOut: 32, message: 48, size: 112 } as const;
const Z = { OK: 0, STREAM_END: 1, MEM_ERROR: -4, BUF_ERROR: -5 } as const;
/** 15 bits of window, and 16 for gzip's header (zlib.h, inflateInit2). */
const GZIP_WINDOW = 31;

/** Undoes gzip of any number of members; zeros behind a member are padding. `output` is the buffer that pieces are given in. */
export function openGunzip(output: Buffer): Inflater {
  return new Gunzip(output);
}

class Gunzip implements Inflater {
  // zlib keeps the address of its stream: memory of its own, which no collection moves.
  private readonly stream = Buffer.from(new ArrayBuffer(STREAM.size));
  private readonly output: Buffer;
  private readonly outputAt: bigint;
  private betweenMembers = true;
  private members = 0;
  private closed = false;

  constructor(output: Buffer) {
    this.output = output;
    this.outputAt = addressOf(output);
    if (inflateInit2(this.stream, GZIP_WINDOW, '1', STREAM.size) !== Z.OK)
      throw new WharfError('exhausted', 'gzip: no memory');
  }

  push(input: Buffer, take: (bytes: Buffer) => void): void {
    const { stream, output } = this;
    const base = addressOf(input);
    for (let at = 0; at < input.length; ) {
      if (this.betweenMembers) {
        if (this.members > 0 && input[at] === 0) {
          at += 1;
          continue;
        }
        this.nextMember();
      }
      stream.writeBigUInt64LE(base + BigInt(at), STREAM.nextIn);
      stream.writeUInt32LE(input.length - at, STREAM.availableIn);
      for (;;) {
        stream.writeBigUInt64LE(this.outputAt, STREAM.nextOut);
        stream.writeUInt32LE(output.length, STREAM.availableOut);
        const result = inflate(stream, 0);
        const made = output.length - stream.readUInt32LE(STREAM.availableOut);
        if (made > 0) take(output.subarray(0, made));
        this.betweenMembers = result === Z.STREAM_END;
        if (this.betweenMembers || result === Z.BUF_ERROR) break;
        if (result !== Z.OK) this.fail(result);
        if (made < output.length && stream.readUInt32LE(STREAM.availableIn) === 0) break;
      }
      at = input.length - stream.readUInt32LE(STREAM.availableIn);
    }
  }

  finish(): void {
    if (!this.betweenMembers || this.members === 0)
      throw new WharfError('corrupt', 'gzip: the data ends in the middle');
  }

  [Symbol.dispose](): void {
    if (this.closed) return;
    this.closed = true;
    inflateEnd(this.stream);
  }

  private nextMember(): void {
    if (this.members > 0) inflateReset(this.stream);
    this.members += 1;
    this.betweenMembers = false;
  }

  private fail(result: number): never {
    if (result === Z.MEM_ERROR) throw new WharfError('exhausted', 'gzip: no memory');
    const address = this.stream.readBigUInt64LE(STREAM.message);
    const why = address === 0n ? `error ${result}` : ffi().decode(address, 'char', -1);
    throw new WharfError('corrupt', `gzip: ${why}`);
  }
}

/** ZSTD_inBuffer and ZSTD_outBuffer (zstd.h): an address, a size, a position. */
const PIECE = { address: 0, size: 8, position: 16, bytes: 24 } as const;

/** Undoes zstd of any number of frames, skippable ones among them. `output` is the buffer that pieces are given in. */
export function openUnzstd(output: Buffer): Inflater {
  return new Unzstd(output);
}

class Unzstd implements Inflater {
  private readonly output: Buffer;
  private readonly outputPiece = Buffer.from(new ArrayBuffer(PIECE.bytes));
  private readonly inputPiece = Buffer.from(new ArrayBuffer(PIECE.bytes));
  private context: Address | undefined;
  private betweenFrames = true;

  constructor(output: Buffer) {
    this.output = output;
    this.outputPiece.writeBigUInt64LE(addressOf(output), PIECE.address);
    this.outputPiece.writeBigUInt64LE(BigInt(output.length), PIECE.size);
    this.context = createContext() ?? undefined;
    if (this.context === undefined) throw new WharfError('exhausted', 'zstd: no memory');
  }

  push(input: Buffer, take: (bytes: Buffer) => void): void {
    if (this.context === undefined || input.length === 0) return;
    const { inputPiece, outputPiece, output } = this;
    inputPiece.writeBigUInt64LE(addressOf(input), PIECE.address);
    inputPiece.writeBigUInt64LE(BigInt(input.length), PIECE.size);
    inputPiece.writeBigUInt64LE(0n, PIECE.position);
    for (;;) {
      outputPiece.writeBigUInt64LE(0n, PIECE.position);
      const result = decompressStream(this.context, outputPiece, inputPiece);
      if (result < 0) throw new WharfError('corrupt', `zstd: ${errorName(result)}`);
      const made = Number(outputPiece.readBigUInt64LE(PIECE.position));
      if (made > 0) take(output.subarray(0, made));
      this.betweenFrames = result === 0;
      const all = Number(inputPiece.readBigUInt64LE(PIECE.position)) === input.length;
      // With the output full there may be more of what was taken in already.
      if (all && (this.betweenFrames || made < output.length)) return;
    }
  }

  finish(): void {
    if (!this.betweenFrames) throw new WharfError('corrupt', 'zstd: the data ends in the middle');
  }

  [Symbol.dispose](): void {
    if (this.context !== undefined) freeContext(this.context);
    this.context = undefined;
  }
}
