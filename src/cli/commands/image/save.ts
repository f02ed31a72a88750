import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errnoCode, WharfError } from '../../../base/index.ts';
import { saveImages } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { fileError } from '../../files.ts';
import { flag } from '../../flags.ts';
import { platformQuery } from '../../platform.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  flags: [
    flag('o,output', 'string', 'Write to a file, instead of STDOUT'),
    flag(
      'platform',
      'string',
      'Save only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    ),
  ],
  arity: atLeast(1),
  completes: 'images',
  async run(context, flags) {
    const output = flags.string('output');
    if (output === '' && context.stdout.isTTY)
      throw new WharfError('invalid', 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
    if (output !== '') await checkTarget(output);
    const response = await saveImages(
      context.client(),
      flags.operands,
      platformQuery(flags.string('platform'), 'invalid platform: '),
    );
    if (output === '') {
      await pipeline(response, context.stdout, { end: false });
      return 0;
    }
    const partial = `${output}.partial-${process.pid}`;
    try {
      await pipeline(response, createWriteStream(partial, { mode: 0o600, flags: 'wx' }));
      await rename(partial, output);
    } catch (thrown) {
      await rm(partial, { force: true });
      throw errnoCode(thrown) === 'ECONNRESET' || errnoCode(thrown) === undefined
        ? thrown
        : fileError(output, thrown);
    }
    return 0;
  },
};

/** Refuses what is no place for an archive: the rename at the end would replace a device by a file. */
async function checkTarget(output: string): Promise<void> {
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

function refused(reason: string): WharfError {
  return new WharfError('invalid', `failed to save image: ${reason}`);
}
