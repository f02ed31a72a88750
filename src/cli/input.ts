import { createReadStream, type ReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { WharfError } from '../base/index.ts';
import { fileError } from './files.ts';

/** Opens a file to be sent. Throws WharfError `invalid` when it cannot be opened, or is a directory. */
export async function openInput(path: string): Promise<ReadStream> {
  try {
    const handle = await open(path);
    if (!(await handle.stat()).isDirectory()) return createReadStream(path, { fd: handle });
    await handle.close();
  } catch (thrown) {
    throw fileError(path, thrown);
  }
  throw new WharfError('invalid', `read ${path}: is a directory`);
}
