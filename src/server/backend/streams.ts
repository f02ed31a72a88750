/** One piece of a process's output. */
export interface OutputChunk {
  stream: 'stdout' | 'stderr';
  data: Buffer;
}

/** A client's side of a process's stdio, as attach and exec start hand it to the hijacked connection. */
export interface StdioSession {
  /** With a terminal, bytes go raw; without, in frames of eight bytes of header. */
  readonly tty: boolean;
  readonly output: AsyncIterable<OutputChunk>;
  /** Undefined when the client did not ask for stdin or the process has none. */
  readonly input: { write(data: Uint8Array): Promise<void>; end(): void } | undefined;
  /** Byte sequence that detaches, already parsed from `detachKeys` (default ctrl-p ctrl-q); empty when there is none. */
  readonly detachKeys: Buffer;
  /** The client typed the detach keys: emits the event and closes. */
  detach(): void;
  /** Lets go; the process goes on. */
  close(): void;
}
