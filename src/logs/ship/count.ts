import { closeSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { FileChain, unpackFile } from '../files.ts';

const NEWLINE = 10;
const BLOCK = 256 * 1024;
const readAsync = promisify(read);

/** Records and bytes of one of a log's files from an offset on; nothing of a file that is gone. */
export async function countRecords(
  logPath: string,
  identity: string,
  from: number,
): Promise<{ records: number; bytes: number }> {
  using chain = new FileChain(logPath);
  chain.skip(chain.pending.findIndex((file) => file.identity === identity));
  const file = chain.take();
  const counted = { records: 0, bytes: 0 };
  if (file?.identity !== identity) {
    if (file) closeSync(file.fd);
    return counted;
  }
  try {
    await unpackFile(file, logPath);
    const block = Buffer.allocUnsafe(BLOCK);
    for (;;) {
      const { bytesRead } = await readAsync(file.fd, block, 0, BLOCK, from + counted.bytes);
      if (bytesRead === 0) return counted;
      counted.bytes += bytesRead;
      counted.records += newlines(block.subarray(0, bytesRead));
    }
  } finally {
    closeSync(file.fd);
  }
}

/** Newlines in a block: each record of the monitor ends with one. */
export function newlines(block: Buffer): number {
  let count = 0;
  for (let at = block.indexOf(NEWLINE); at >= 0; at = block.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
