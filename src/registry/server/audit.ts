import { closeSync, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { type Clock, type Logger, systemClock, WharfError } from '../../base/index.ts';
import type { AuditEntry } from './types.ts';

/** How often the file's name is looked at, for those who rename it away. */
const LOOK_MS = 1_000;
/** Fields that a client chooses freely are cut. */
const MAX_FIELD = 512;

const NEWLINE = 10;

/** Where audit lines go. */
export interface AuditLog {
  /** Takes one entry; never throws. */
  write(entry: AuditEntry): void;
  /** Opens the file anew, as after it was rotated. */
  reopen(): void;
  /** Writes what waits, and closes. */
  close(): void;
}

/**
 * One JSON object a line. Control characters – C1 and Unicode's line ends, too – are escaped, so that no field forges a line
 * or speaks to a terminal.
 */
export function auditLine(entry: AuditEntry): string {
  const { time, user, from, method, action, repository, reference, status, bytes, agent } = entry;
  const line = JSON.stringify({
    time,
    user: cut(user),
    from,
    method: cut(method),
    action,
    repository: cut(repository),
    reference: cut(reference),
    status,
    bytes,
    agent: cut(agent),
  });
  return `${line.replace(/[\u007f-\u009f\u2028\u2029]/g, escaped)}\n`;
}

const cut = (text: string | null) =>
  text !== null && text.length > MAX_FIELD ? text.slice(0, MAX_FIELD) : text;

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * Appends to a file that only its owner may read; the lines of one turn of the event loop in one piece. When the file was renamed away or removed a new one is begun. Errors: `invalid` when it can't be opened.
 */
export function openAuditFile(
  path: string,
  log: Logger,
  clock: Pick<Clock, 'monotonic'> = systemClock,
): AuditLog {
  return new FileAudit(path, log, clock);
}

/** Writes to a descriptor that is open already, as standard error. */
export function auditTo(fd: number): AuditLog {
  return {
    write(entry) {
      try {
        writeSync(fd, auditLine(entry));
      } catch {
        // A full or closed pipe must not stop the registry.
      }
    },
    reopen() {},
    close() {},
  };
}

class FileAudit implements AuditLog {
  private readonly path: string;
  private readonly log: Logger;
  private readonly clock: Pick<Clock, 'monotonic'>;
  private fd: number;
  private lines: string[] = [];
  private lookedAt: number;
  private lost = 0;
  /** The file ends within a line: the disk was full. */
  private torn = false;
  private closed = false;

  constructor(path: string, log: Logger, clock: Pick<Clock, 'monotonic'>) {
    this.path = path;
    this.log = log;
    this.clock = clock;
    this.fd = open(path);
    this.lookedAt = clock.monotonic();
  }

  write(entry: AuditEntry): void {
    if (this.closed) return;
    if (this.lines.push(auditLine(entry)) === 1) setImmediate(() => this.flush());
  }

  reopen(): void {
    this.flush();
    try {
      const fd = open(this.path);
      closeSync(this.fd);
      this.fd = fd;
    } catch (error) {
      this.log.error('the audit file was not opened anew; the old one stays', { file: this.path, error });
    }
  }

  close(): void {
    if (this.closed) return;
    this.flush();
    this.closed = true;
    closeSync(this.fd);
  }

  private flush(): void {
    if (this.closed || this.lines.length === 0) return;
    const now = this.clock.monotonic();
    const look = now - this.lookedAt >= LOOK_MS;
    if (look) this.lookedAt = now;
    const { lines } = this;
    this.lines = [];
    try {
      if (look && this.isMoved()) this.reopen();
      this.put(Buffer.from(`${this.torn ? '\n' : ''}${lines.join('')}`));
      this.recovered();
    } catch (error) {
      this.complain(error, lines.length);
    }
  }

  private put(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      at += writeSync(this.fd, bytes, at);
      this.torn = bytes[at - 1] !== NEWLINE;
    }
  }

  private isMoved(): boolean {
    const there = statSync(this.path, { throwIfNoEntry: false });
    const ours = fstatSync(this.fd);
    return there?.ino !== ours.ino || there.dev !== ours.dev;
  }

  /** Once for a series of failures: a full disk would otherwise fill the other log, too. */
  private complain(error: unknown, lines: number): void {
    if (this.lost === 0)
      this.log.error('audit lines are lost: the file can not be written', { file: this.path, error });
    this.lost += lines;
  }

  private recovered(): void {
    if (this.lost === 0) return;
    this.log.warn('the audit file is written again', { file: this.path, lost: this.lost });
    this.lost = 0;
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'a', 0o600);
  } catch (cause) {
    throw new WharfError(
      'invalid',
      `the audit file ${path} can't be opened: ${WharfError.from(cause).message}`,
      {
        cause,
      },
    );
  }
}
