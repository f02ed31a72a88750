import type { IncomingMessage, ServerResponse } from 'node:http';
import { WharfError } from '../../base/index.ts';

/** Slower clients, in bytes per millisecond, only hold connections. */
const SLOWEST = 1;

/**
 * The body of a request, read piece by piece as fast as it is taken. A piece is gone when the next is asked for: waiting for
 * the collector of garbage would keep a hundred megabytes of them. Nor does the next one come in before: what a slow disk makes
 * wait stays with the kernel. Throws `cancelled` when the body breaks off.
 */
export class RequestBody implements AsyncIterableIterator<Uint8Array> {
  private readonly request: IncomingMessage;
  private readonly count: (bytes: number) => void;
  private wake: (() => void) | undefined;
  private readonly stallMs: number;
  private windowEnd: number;
  private windowBytes = 0;
  private last: Buffer | undefined;
  private keep = false;
  private readonly onEvent = () => this.wake?.();

  /** `stallMs`: a client that sends nothing for so long is cut; what came stays. */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    stallMs: number,
    count: (bytes: number) => void,
  ) {
    this.request = request;
    this.count = count;
    this.stallMs = stallMs;
    this.windowEnd = performance.now() + stallMs;
    if (request.headers.expect !== undefined) response.writeContinue();
    request.socket.setTimeout(stallMs);
    // Node asks for the next piece as soon as one is taken; here it is asked for when that one is done with.
    request._read = () => {};
    for (const event of EVENTS) request.on(event, this.onEvent);
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const { request } = this;
    free(this.last);
    this.last = undefined;
    for (;;) {
      const chunk = request.read() as Buffer | null;
      if (chunk !== null) {
        this.passed(chunk.length);
        if (!this.keep) this.last = chunk;
        return { done: false, value: chunk };
      }
      if (request.readableEnded) {
        this.release();
        return { done: true, value: undefined };
      }
      if (request.destroyed || request.errored) {
        this.release();
        throw new WharfError('cancelled', 'the client broke the request off');
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        request.socket.resume();
      });
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.release();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The whole of a small body. Undefined when it has more than `most` bytes. */
  async whole(most: number): Promise<Buffer | undefined> {
    const chunks: Uint8Array[] = [];
    this.keep = true;
    let size = 0;
    for await (const chunk of this) {
      size += chunk.length;
      if (size > most) return undefined;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, size);
  }

  private passed(bytes: number): void {
    this.count(bytes);
    this.windowBytes += bytes;
    if (this.windowBytes < this.stallMs * SLOWEST) {
      if (performance.now() < this.windowEnd) return;
      this.request.destroy();
    }
    this.windowBytes = 0;
    this.windowEnd = performance.now() + this.stallMs;
  }

  private release(): void {
    this.wake = undefined;
    // As the class has it: what is not read is thrown away by Node.
    delete (this.request as Partial<IncomingMessage>)._read;
    this.request.socket.resume();
    for (const event of EVENTS) this.request.off(event, this.onEvent);
    // From here the server works, and the client is right to be silent.
    this.request.socket.setTimeout(0);
  }
}

/** Gives the memory of a piece back at once, if it is nobody else's. */
function free(chunk: Buffer | undefined): void {
  if (chunk && chunk.buffer.byteLength === chunk.length) (chunk.buffer as ArrayBuffer).transfer(0);
}

const EVENTS = ['readable', 'end', 'close', 'error'] as const;
