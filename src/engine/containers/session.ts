/** One piece of a process's output, as the hijacked connection sends it. */
export interface OutputChunk {
  stream: 'stdout' | 'stderr';
  data: Buffer;
}

/** A client's side of a process's stdio; the same shape as the server's backend contract declares. */
export interface StdioSession {
  readonly tty: boolean;
  readonly output: AsyncIterable<OutputChunk>;
  readonly input: { write(data: Uint8Array): Promise<void>; end(): void } | undefined;
  readonly detachKeys: Buffer;
  detach(): void;
  close(): void;
}

/** A container's log as bytes for the client: framed unless `tty`, times and details already in front of the lines. */
export interface LogOutput {
  tty: boolean;
  output: AsyncIterable<Uint8Array>;
}

export interface LogsInput {
  stdout: boolean;
  stderr: boolean;
  follow: boolean;
  /** Nanoseconds since 1970. */
  since?: bigint;
  until?: bigint;
  tail?: number;
  timestamps: boolean;
  details: boolean;
}

export interface AttachInput {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  stream: boolean;
  logs: boolean;
  detachKeys?: string;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/** How a stop or restart is to end the process; see the Engine API's `t` and `signal`. */
export interface StopOptions {
  signal?: string;
  /** Seconds; undefined for the container's own, negative for no limit. */
  timeoutSeconds?: number;
}
