/** One line (or, with `partial`, a piece of a long one) that a container printed. */
export interface LogRecord {
  /** RFC 3339 with nanoseconds, as the monitor wrote it, in UTC (`Z`). */
  time: string;
  stream: 'stdout' | 'stderr';
  /** Includes the newline unless `partial`. */
  data: Buffer;
  partial: boolean;
}

/** Which records of a log are asked for. */
export interface LogQuery {
  stdout: boolean;
  stderr: boolean;
  /** Nanoseconds since 1970; records before it are left out. */
  since?: bigint;
  /** Records after it are left out; a follow ends there. */
  until?: bigint;
  /** Only the last n lines, of both streams together; undefined for all. A line in pieces counts once. */
  tail?: number;
  /** Go on with new records until the signal fires or `ended` resolves and everything is read. */
  follow?: { ended: Promise<unknown> };
}

/** How a client gets records as bytes. */
export interface LogFormat {
  /** Each record in a frame of the Engine's multiplexed stream (8 bytes of header); otherwise as it was printed. */
  framed: boolean;
  /** The time with nine digits of fraction and a space before each line. */
  timestamps: boolean;
  /** Put as it is before each line, behind the time; empty for nothing. */
  details: string;
}

/**
 * Reads what the monitor wrote (rotated files included), by seeking where it can: `tail` reads from the end. A follower
 * keeps open what is rotated away while it reads, so that it misses nothing however slow it is.
 */
export interface LogReader {
  /** Record by record: for few records, or where each matters. */
  read(logPath: string, query: LogQuery, signal: AbortSignal): AsyncIterable<LogRecord>;
  /** Many records at a time, as bytes for a client. Reads ahead by one block only. */
  encode(logPath: string, query: LogQuery, format: LogFormat, signal: AbortSignal): AsyncIterable<Buffer>;
  /** Removes the log and its rotated files. */
  remove(logPath: string): Promise<void>;
}

/** When a log is rotated, and what stays. */
export interface RotationPolicy {
  /** Bytes that the monitor may write into one file, about: the size is looked at while it writes. */
  maxBytes: number;
  /** Files that are kept, the one being written included; at least 1. */
  maxFiles: number;
  /** Rotated files are packed by gzip. */
  compress: boolean;
  /** Somebody who must have read a file before it is packed or removed. */
  hold?: RotationHold;
}

/** Whoever reads a log behind its writer. Files are named by what `identityOf` says of them. */
export interface RotationHold {
  /** Whether a file has still to be read. */
  needs(identity: string): boolean;
  /** So many files are kept for it, even when fewer are to stay. */
  mostFiles: number;
  /** A file that is needed is about to be removed: there are too many. */
  giveUp(identity: string): Promise<void>;
}

/** A log that is being kept below its size. */
export interface RotatedLog {
  /** About how many bytes of output found no room on the disk. */
  readonly lostBytes: number;
  /** Ends the watching; the files stay as they are. Resolves when nothing is under way any more. */
  close(): Promise<void>;
}

/** Keeps logs below their size while their containers run. Sleeps while nothing is written. */
export interface LogRotator {
  /**
   * Watches one log. `reopen` asks the monitor to go on in a new file at `logPath`. A rotation that an earlier daemon
   * began is finished. With the monitor's pid, what is lost on a full disk is counted.
   */
  watch(
    logPath: string,
    policy: RotationPolicy,
    reopen: () => Promise<void>,
    monitorPid?: number,
  ): RotatedLog;
  /** Logs that lost something on a full disk, while they are watched. */
  losses(): { logPath: string; lostBytes: number }[];
}
