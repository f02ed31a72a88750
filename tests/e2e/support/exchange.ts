/**
 * Run by tests as a program: swaps two names of a folder by renameat2(2) with RENAME_EXCHANGE, as a hostile process in a
 * container does, until it is ended. Arguments: the folder and the names.
 */
import { O, openat2, renameat2 } from '../../../src/sys/index.ts';

const [folder = '', one = '', other = ''] = process.argv.slice(2);
const directory = openat2(folder, '.', { flags: O.RDONLY | O.DIRECTORY });
process.stdout.write('swapping\n');

function swap(): void {
  for (let left = 50; left > 0; left -= 1) renameat2(directory, one, directory, other, { exchange: true });
  setTimeout(swap, 0);
}

swap();
