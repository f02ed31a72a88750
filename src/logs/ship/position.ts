import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** How far a spool has been shipped, and what was given up on the way. */
export interface ShipPosition {
  /** Which file, by what `identityOf` says of it. */
  identity: string;
  /** Bytes of that file that the server has. */
  offset: number;
  /** Records and bytes that no server ever got. */
  lostRecords: number;
  lostBytes: number;
}

/** Always the same number of bytes: writing over them needs no room on a full disk, and one call writes them all. */
const SIZE = 128;

/** Name of the file that keeps the position of a spool. */
export function positionPath(logPath: string): string {
  return `${logPath}.shipped`;
}

/** The position in a small file beside the log. It survives the daemon's sudden end; after a power cut it may be older. */
export class PositionFile implements Disposable {
  private readonly fd: number;

  /** Opens it; makes it if there is none. Errors: of open(2). */
  constructor(logPath: string) {
    this.fd = openSync(positionPath(logPath), 'a+', 0o600);
    closeSync(this.fd);
    this.fd = openSync(positionPath(logPath), 'r+');
  }

  /** Undefined when nothing was ever shipped, or the file says nothing that makes sense. */
  read(): ShipPosition | undefined {
    const bytes = Buffer.alloc(SIZE);
    const length = readSync(this.fd, bytes, 0, SIZE, 0);
    const match = /^(\d+ \d+) (\d+) (\d+) (\d+) *\n$/.exec(bytes.toString('latin1', 0, length));
    if (!match) return undefined;
    const [, identity = '', offset, lostRecords, lostBytes] = match;
    return {
      identity,
      offset: Number(offset),
      lostRecords: Number(lostRecords),
      lostBytes: Number(lostBytes),
    };
  }

  /** Errors: of write(2). */
  write({ identity, offset, lostRecords, lostBytes }: ShipPosition): void {
    const text = `${identity} ${offset} ${lostRecords} ${lostBytes}`;
    writeSync(this.fd, `${text.padEnd(SIZE - 1)}\n`, 0, 'latin1');
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}
