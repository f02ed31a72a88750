import { closeSync, fstatSync, openSync, read, readdirSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';

const readAsync = promisify(read);
/** How much of a packed file is read at a time. */
const BLOCK = 64 * 1024;

/** A file of a log, held open, so that it can be read to its end whatever becomes of its name. */
export interface OpenLogFile {
  fd: number;
  inode: bigint;
  /** What `identityOf` says of it. */
  identity: string;
  /** Packed files have no further use for their inode: they came to be from a file that was read before. */
  packed: boolean;
}

/** Numbers of the rotated files of a log that exist, the newest first, with their names. */
export function rotatedFiles(logPath: string): { index: number; path: string; packed: boolean }[] {
  const [directory, name] = [dirname(logPath), basename(logPath)];
  const found: { index: number; path: string; packed: boolean }[] = [];
  for (const entry of entriesOf(directory)) {
    if (!entry.startsWith(`${name}.`)) continue;
    const match = /^(\d+)(\.gz)?$/.exec(entry.slice(name.length + 1));
    if (match) found.push({ index: Number(match[1]), path: `${directory}/${entry}`, packed: !!match[2] });
  }
  return found.sort((a, b) => a.index - b.index || Number(a.packed) - Number(b.packed));
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    throw thrown;
  }
}

/** Whether an error says that there is no such file. */
export function isMissing(thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException).code === 'ENOENT';
}

/** Tells a file from all others, whatever it is called: its inode's number, and its birth, since numbers are used again. */
export function identityOf({ ino, birthtimeNs }: { ino: bigint; birthtimeNs: bigint }): string {
  return `${ino} ${birthtimeNs}`;
}

/** The files of a log as they come to be, oldest first. Opens them at once; whoever takes one closes it. */
export class FileChain implements Disposable {
  private readonly logPath: string;
  private readonly seen = new Set<string>();
  private waiting: OpenLogFile[] = [];
  private started = false;

  constructor(logPath: string) {
    this.logPath = logPath;
    this.refresh();
  }

  /**
   * Opens what has appeared since. The newest comes first: what is renamed meanwhile is then met again under a higher
   * number and left out, and none slips through.
   */
  refresh(): void {
    const newest = rotatedFiles(this.logPath).at(-1)?.index ?? 0;
    const fresh: OpenLogFile[] = [];
    try {
      this.note(fresh, this.logPath, false);
      // One more than there are: a rotation may be shifting them.
      for (let index = 1; index <= newest + 1; index++) {
        const path = `${this.logPath}.${index}`;
        // Later, what is packed was met before as a plain file.
        if (!this.note(fresh, path, false) && !this.started) this.note(fresh, `${path}.gz`, true);
      }
    } finally {
      // Also what was opened before a failure: it is the chain that closes it.
      this.waiting.push(...fresh.reverse());
    }
    this.started = true;
  }

  /** False when there is no such file. */
  private note(fresh: OpenLogFile[], path: string, packed: boolean): boolean {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (thrown) {
      if (isMissing(thrown)) return false;
      throw thrown;
    }
    const stat = fstatSync(fd, { bigint: true });
    const identity = identityOf(stat);
    if (this.seen.has(identity)) {
      closeSync(fd);
    } else {
      this.seen.add(identity);
      fresh.push({ fd, inode: stat.ino, identity, packed });
    }
    return true;
  }

  /** The next file; undefined when there is none yet. */
  take(): OpenLogFile | undefined {
    return this.waiting.shift();
  }

  /** Files that wait, the newest last. They stay the chain's. */
  get pending(): readonly OpenLogFile[] {
    return this.waiting;
  }

  /** How many of the files that wait were deleted, and the bytes that they take as long as they are open. */
  get nameless(): { files: number; bytes: number } {
    const sum = { files: 0, bytes: 0 };
    for (const { fd } of this.waiting) {
      const { nlink, size } = fstatSync(fd);
      if (nlink > 0) continue;
      sum.files++;
      sum.bytes += size;
    }
    return sum;
  }

  /** Lets go of the `count` oldest files. */
  skip(count: number): void {
    for (const { fd } of this.waiting.splice(0, count)) closeSync(fd);
  }

  [Symbol.dispose](): void {
    this.skip(this.waiting.length);
  }
}

/** Unpacks a file into one without a name beside the log, and puts it in its place. */
export async function unpackFile(file: OpenLogFile, logPath: string): Promise<void> {
  if (!file.packed) return;
  const scratch = `${logPath}.unpacked-${process.pid}-${file.fd}`;
  const handle = await open(scratch, 'wx+', 0o600);
  await rm(scratch);
  try {
    // No streams of descriptors: when packed bytes are damaged, they would close what others close again.
    await pipeline(bytesOf(file.fd), createGunzip(), (unpacked) => handle.writeFile(unpacked));
    const fd = openSync(`/proc/self/fd/${handle.fd}`, 'r');
    closeSync(file.fd);
    file.fd = fd;
    file.packed = false;
  } finally {
    await handle.close();
  }
}

async function* bytesOf(fd: number): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await readAsync(fd, Buffer.allocUnsafe(BLOCK), 0, BLOCK, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
