import { posix } from 'node:path';

/** A path of a request, as Docker reads it. */
export interface ContainerPath {
  /** As it was asked for. */
  asked: string;
  /** Absolute, with `.` and `..` resolved by their letters, and the slash or `/.` at its end kept. */
  path: string;
  /** `/`, `/.` or empty. */
  ending: string;
  /** Last part of what was asked for; the name in a stat document. */
  name: string;
}

/** Reads a path of a request; relative ones are below the root. */
export function containerPath(asked: string): ContainerPath {
  const clean = posix.join('/', asked).replace(/(?<=.)\/+$/, '');
  const last = asked.slice(asked.lastIndexOf('/') + 1);
  const ending = last === '.' ? '/.' : last === '' ? '/' : '';
  const path = clean === '/' && ending !== '' ? ending : `${clean}${ending}`;
  return { asked, path, ending, name: posix.basename(asked) || '/' };
}

/** The name of the first entry in the archive of that path: with `/.` at its end, the folder stands for itself. */
export function entryName({ path, ending }: ContainerPath): string {
  return ending === '/.' ? '.' : posix.basename(path) || '/';
}
