import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const PIECE = 1 << 20;

/** Fills a file with bytes that can't be packed. */
export function writeNoise(path: string, bytes: number): string {
  const file = openSync(path, 'w');
  for (let left = bytes; left > 0; left -= PIECE) writeSync(file, randomBytes(Math.min(PIECE, left)));
  closeSync(file);
  return path;
}

/** Many small files, a hundred in a folder: 100 to 4,000 bytes each, other ones in each. */
export function writeSmallFiles(folder: string, count: number): string {
  const noise = randomBytes(8192);
  for (let at = 0; at < count; at++) {
    const parent = join(folder, `d${Math.floor(at / 100)}`);
    if (at % 100 === 0) mkdirSync(parent, { recursive: true });
    const from = at % 4096;
    writeFileSync(join(parent, `f${at}`), noise.subarray(from, from + 100 + ((at * 37) % 3900)));
  }
  return folder;
}

/** A tree as a build leaves it: files of 1 MiB, every other one of a program's bytes, which can be packed, and the others not. */
export function writeBuild(folder: string, mebibytes: number): string {
  mkdirSync(folder, { recursive: true });
  const program = readFileSync(process.execPath);
  for (let at = 0; at < mebibytes; at++) {
    const offset = (at * PIECE) % (program.length - PIECE);
    const bytes = at % 2 === 0 ? randomBytes(PIECE) : program.subarray(offset, offset + PIECE);
    writeFileSync(join(folder, `part-${at}`), bytes);
  }
  return folder;
}
