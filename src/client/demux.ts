import { WharfError } from '../base/index.ts';

/** Which of the container's streams a frame belongs to. `system` carries an error of the engine. */
export type StreamName = 'stdin' | 'stdout' | 'stderr' | 'system';

const NAMES: readonly StreamName[] = ['stdin', 'stdout', 'stderr', 'system'];
const HEADER = 8;

/**
 * Takes the multiplexed stream apart: frames of a header (stream, three zeros, length as 4 bytes big-endian) and
 * their payload. Payloads are handed on as they arrive, not held until a frame is whole.
 * Source: Engine API, ContainerAttach, "Stream format".
 */
export class Demultiplexer {
  private readonly sink: (stream: StreamName, data: Buffer) => void;
  private header: Buffer = Buffer.alloc(0);
  private stream: StreamName = 'stdout';
  private remaining = 0;

  constructor(sink: (stream: StreamName, data: Buffer) => void) {
    this.sink = sink;
  }

  /** Takes the next bytes. Throws `corrupt` when they are not frames. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.remaining > 0) {
        const end = Math.min(chunk.length, at + this.remaining);
        this.sink(this.stream, chunk.subarray(at, end));
        this.remaining -= end - at;
        at = end;
        continue;
      }
      const need = HEADER - this.header.length;
      const part = chunk.subarray(at, at + need);
      at += part.length;
      this.header = this.header.length === 0 ? part : Buffer.concat([this.header, part]);
      if (this.header.length === HEADER) this.start(this.header);
    }
  }

  /** True when the stream may end here: no frame is half read. */
  get complete(): boolean {
    return this.remaining === 0 && this.header.length === 0;
  }

  private start(header: Buffer): void {
    const name = NAMES[header[0] ?? 255];
    if (name === undefined) throw new WharfError('corrupt', `Unrecognized input header: ${header[0]}`);
    this.stream = name;
    this.remaining = header.readUInt32BE(4);
    this.header = Buffer.alloc(0);
  }
}
