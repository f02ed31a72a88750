/** What a remote log driver is sent for one line, or for a piece of a long one. */
export interface LogEntry {
  /** Nanoseconds since 1970. */
  time: bigint;
  stream: 'stdout' | 'stderr';
  /** Without its newline. */
  line: Buffer;
  /** Of a line in pieces; undefined for a whole line. */
  partial?: { id: string; ordinal: number; last: boolean };
}

/**
 * One connection to a log server. It connects by itself when there is something to send, and again after a failure.
 */
export interface LogSink {
  /**
   * Resolves when the server has taken all of it, as far as its protocol can tell: its answer, else the
   * acknowledgement of its kernel, else (datagrams) that it was sent. Errors: what stood in the way; nothing or any
   * part of it has then arrived, and the caller sends it again. One call at a time.
   */
  send(entries: readonly LogEntry[], signal: AbortSignal): Promise<void>;
  /** Ends the connection at once; what is under way fails. Safe to call again. */
  close(): void;
}

/** What the drivers tell of a container. */
export interface LogSource {
  id: string;
  /** Without a slash. */
  name: string;
  imageId: string;
  imageName: string;
  command: string;
  /** RFC 3339. */
  created: string;
  /** What the `tag` option makes of the container; its short id without one. */
  tag: string;
  /** Labels and environment that the options pick. */
  attributes: ReadonlyMap<string, string>;
}
