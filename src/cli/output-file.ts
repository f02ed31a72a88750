import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errnoCode, WharfError } from '../base/index.ts';
import type { Context } from './command.ts';
import { fileError } from './files.ts';
import { flag } from './flags.ts';

/** `--output` of what writes an archive. */
export const outputFlag = flag('o,output', 'string', 'Write to a file, instead of STDOUT');

/**
 * Writes an archive to a file, or to standard output where `output` is empty. The file comes into being whole or not at
 * all. Throws WharfError `invalid` before anything is asked for, when the place is none, or is a terminal.
 */
export async function writeArchive(
  context: Context,
  output: string,
  failure: string,
  fetch: () => Promise<AsyncIterable<Buffer>>,
): Promise<void> {
  if (output === '' && context.stdout.isTTY)
    throw new WharfError('invalid', 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
  if (output !== '') await checkTarget(output, failure);
  const archive = await fetch();
  if (output === '') return pipeline(archive, context.stdout, { end: false });
  const partial = `${output}.partial-${process.pid}`;
  try {
    await pipeline(archive, createWriteStream(partial, { mode: 0o600, flags: 'wx' }));
    await rename(partial, output);
  } catch (thrown) {
    await rm(partial, { force: true });
    throw errnoCode(thrown) === 'ECONNRESET' || errnoCode(thrown) === undefined
      ? thrown
      : fileError(output, thrown);
  }
}

/** Refuses what is no place for an archive: the rename at the end would replace a device by a file. */
async function checkTarget(output: string, failure: string): Promise<void> {
  const refused = (reason: string) => new WharfError('invalid', `${failure}: ${reason}`);
  const folder = dirname(output);
  const place = await stat(folder).catch((thrown: unknown) => {
    throw refused(`invalid output path: ${fileError(folder, thrown).message.replace(/^open/, 'stat')}`);
  });
  if (!place.isDirectory())
    throw refused(`invalid output path: ${JSON.stringify(folder)} is not a directory`);
  const target = await stat(output).catch(() => undefined);
  if (!target || target.isFile()) return;
  if (target.isDirectory()) throw refused('cannot write to a directory');
  if (target.isCharacterDevice()) throw refused('cannot write to a character device file');
  if (target.isBlockDevice()) throw refused('cannot write to a block device file');
  throw refused(`cannot write to a ${target.isFIFO() ? 'named pipe (FIFO)' : 'socket'}`);
}
