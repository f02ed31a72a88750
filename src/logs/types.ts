/** One line (or, with `partial`, a piece of a long one) that a container printed. */
export interface LogRecord {
  /** RFC 3339 with nanoseconds, as the monitor wrote it, in UTC (`Z`). */
  time: string;
  stream: 'stdout' | 'stderr';
  /** Includes the newline unless `partial`. */
  data: Buffer;
  partial: boolean;
}

export interface LogQuery {
  stdout: boolean;
  stderr: boolean;
  /** Nanoseconds since 1970; records before it are left out. */
  since?: bigint;
  /** Records after it are left out; a follow ends there. */
  until?: bigint;
  /** Only the last n lines; undefined for all. */
  tail?: number;
  /** Go on with new records until the signal fires or `ended` resolves and everything is read. */
  follow?: { ended: Promise<unknown> };
}

/** Reads what the monitor wrote (rotated files included), by seeking where it can: `tail` reads from the end. */
export interface LogReader {
  read(logPath: string, query: LogQuery, signal: AbortSignal): AsyncIterable<LogRecord>;
  /** Removes the log and its rotated files. */
  remove(logPath: string): Promise<void>;
}
