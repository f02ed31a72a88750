import { join } from 'node:path';
import { errnoCode } from '../../base/index.ts';
import type { Reference } from '../../oci/index.ts';
import type { Context } from '../command.ts';
import { fileError, nodeFs } from '../files.ts';
import { entryJson, type ManifestEntry, parseEntry } from './entry.ts';

/** The manifest lists that are being made: a folder for each, with a file for each image. Docker's client has the same. */
export interface LocalLists {
  /** The images of a list, by their files' names; undefined when there is no such list. */
  list(name: Reference): ManifestEntry[] | undefined;
  /** What its files take on the disk; undefined when there is no such list. */
  bytes(name: Reference): number | undefined;
  /** One image of a list. */
  get(list: Reference, image: Reference): ManifestEntry | undefined;
  save(list: Reference, image: Reference, entry: ManifestEntry): void;
  remove(list: Reference): void;
}

/** The lists in the folder of the user's configuration. Errors: `corrupt` for a file that is none, `invalid` of the files. */
export function localLists(context: Context): LocalLists {
  const root = join(context.config().dir, 'manifests');
  const folder = (list: Reference) => join(root, fileName(list));
  const read = (file: string): ManifestEntry | undefined => {
    let text: string;
    try {
      text = nodeFs().readFileSync(file, 'utf8');
    } catch (thrown) {
      if (errnoCode(thrown) === 'ENOENT') return undefined;
      throw fileError(file, thrown);
    }
    return parseEntry(text, file);
  };
  return {
    list(name) {
      let files: string[];
      try {
        files = nodeFs().readdirSync(folder(name)).sort();
      } catch (thrown) {
        if (errnoCode(thrown) === 'ENOENT') return undefined;
        throw fileError(folder(name), thrown);
      }
      return files.flatMap((file) => read(join(folder(name), file)) ?? []);
    },
    bytes(name) {
      try {
        const files = nodeFs().readdirSync(folder(name));
        return files.reduce((sum, file) => sum + nodeFs().statSync(join(folder(name), file)).blocks * 512, 0);
      } catch (thrown) {
        if (errnoCode(thrown) === 'ENOENT') return undefined;
        throw fileError(folder(name), thrown);
      }
    },
    get: (list, image) => read(join(folder(list), fileName(image))),
    save(list, image, entry) {
      const file = join(folder(list), fileName(image));
      // Not in the list's own folder, where it would count as an image should it be left behind.
      const partial = join(root, `.${process.pid}-${fileName(image)}`);
      try {
        nodeFs().mkdirSync(folder(list), { recursive: true, mode: 0o755 });
        nodeFs().writeFileSync(partial, entryJson(entry), { mode: 0o644 });
        nodeFs().renameSync(partial, file);
      } catch (thrown) {
        nodeFs().rmSync(partial, { force: true });
        throw fileError(file, thrown);
      }
    },
    remove: (list) => nodeFs().rmSync(folder(list), { recursive: true, force: true }),
  };
}

function fileName(name: Reference): string {
  return name.canonical().replaceAll(':', '-').replaceAll('/', '_');
}
